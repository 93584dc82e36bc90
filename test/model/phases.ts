import { sessionOf } from "colyseus-otel";
import type fc from "fast-check";
import { connected } from "./candidates.ts";
import { command, NOTHING, type Command } from "./command.ts";

/** Phases of the game's own. */
export const PHASES: fc.Arbitrary<Command>[] = [
  command("load, or play on", NOTHING, connected, async (model, world, player) => {
    if (player.loading) {
      world.loading.get(player)!.end();
    } else {
      world.loading.set(player, sessionOf(world.client(player)).phase("loading"));
    }
    model.loaded(player);
  }),
];
