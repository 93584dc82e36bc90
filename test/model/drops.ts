import fc from "fast-check";
import { dropped, droppedInHeld, orNew, whomRoomsHold } from "./candidates.ts";
import { command, NOTHING, type Command } from "./command.ts";
import type { Model } from "./model.ts";
import { givesUp, holdAhead, holding, returns, returnsByItself, returnsInVain } from "./returns.ts";
import type { Player } from "./state.ts";
import { drop, enter, goes, WAYS, type Way } from "./steps.ts";
import type { World } from "./world.ts";

const ways = fc.constantFrom<Way>("says goodbye", "closes the tab", "loses the network", "is sent away");

/** Players who drop, and whose seat is held: what comes of it at once, or later. */
export const DROPS: fc.Arbitrary<Command>[] = [
  command("drop", ways, orNew(whomRoomsHold), async (model, world, found, way) => {
    await drop(model, world, found ?? (await enter(model, world, "classic")), way);
  }),
  command("drop, as was foreseen", ways, orNew(whomRoomsHold), async (model, world, found, way) => {
    const player = found ?? (await enter(model, world, "held"));
    holdAhead(world, player);
    await goes(world, player, way);
    model.held(player, WAYS[way].code);
  }),
  command("drop for good", ways, orNew(whomRoomsHold), async (model, world, found, way) => {
    const player = found ?? (await enter(model, world, "classic"));
    await drop(model, world, player, way, "short");
    model.gone(player, "expired");
  }),
  command("drop and come back", NOTHING, orNew(whomRoomsHold), async (model, world, found) => {
    const player = found ?? (await enter(model, world, "held"));
    const returned = returnsByItself(world, player);
    await holding(player, "manual", () => {
      world.terminate(player);
      return returned;
    });
    model.held(player, 1006);
    model.returned(player);
  }),
  command("return", NOTHING, orNew(dropped), async (model, world, found) => {
    const player = found ?? (await newDropped(model, world));
    await returns(world, player);
    model.asked(player.room.type);
    model.returned(player);
  }),
  command(
    "return in vain",
    fc.constantFrom("refused", "awaited until they are gone"),
    orNew(droppedInHeld),
    async (model, world, found, how) => {
      const player = found ?? (await newDropped(model, world));
      await returnsInVain(world, player, how);
      model.asked(player.room.type);
      model.notReturned(player, how === "refused" ? "hook_error" : "refused");
    },
  ),
  command("return before the server knows", NOTHING, orNew(whomRoomsHold), async (model, world, found) => {
    const player = found ?? (await enter(model, world, "held"));
    const stale = world.connection(player);
    await holding(player, "manual", () => returns(world, player));
    stale.connection.close();
    model.held(player, 4002);
    model.asked(player.room.type);
    model.returned(player);
  }),
  command("give up the seat", NOTHING, orNew(dropped), async (model, world, found) => {
    const player = found ?? (await newDropped(model, world));
    givesUp(player);
    model.gone(player, "abandoned");
  }),
];

async function newDropped(model: Model, world: World): Promise<Player> {
  return drop(model, world, await enter(model, world, "held"), "loses the network");
}
