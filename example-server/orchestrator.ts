import type { InstrumentOptions } from "colyseus-otel";
import { agones } from "colyseus-otel/agones";
import { gamelift } from "colyseus-otel/gamelift";
import { allocatedMap, placedMap } from "./allocation.ts";
import { openArenaMap } from "./arena/loaded-map.ts";

type Chosen = Pick<InstrumentOptions, "orchestrator">;

/** By the name that `ARENA_ORCHESTRATOR` may have. */
const ORCHESTRATORS: Readonly<Record<string, () => Chosen>> = {
  agones: () => ({
    orchestrator: agones({
      onAllocated: async (gameServer) => {
        await openArenaMap(allocatedMap(gameServer));
      },
    }),
  }),
  gamelift: () => ({
    orchestrator: gamelift({
      onGameSession: async (gameSession) => {
        await openArenaMap(placedMap(gameSession));
      },
      playerSessionOf: (_client, options) => (options as { readonly playerSession?: string }).playerSession,
    }),
  }),
  none: () => ({}),
};

export function orchestration(name: string = process.env.ARENA_ORCHESTRATOR ?? "agones"): Chosen {
  const choose = ORCHESTRATORS[name];
  if (choose) return choose();
  throw new TypeError(`ARENA_ORCHESTRATOR must be one of ${Object.keys(ORCHESTRATORS).join(", ")}, got "${name}"`);
}
