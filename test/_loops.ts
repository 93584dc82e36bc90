import { Room } from "@colyseus/core";
import { on17 } from "./_colyseus.ts";

/** The ways to have a game loop. 0.17 knows one. */
export const LOOPS = on17
  ? (["setSimulationInterval"] as const)
  : (["setSimulationInterval", "setTimestep", "setFixedTimestep"] as const);
type Loop = (callback?: (...args: unknown[]) => unknown, rate?: number) => void;

/** A room that runs `tick` as fast as its method does, and patches nothing. */
export function looping(method: (typeof LOOPS)[number], tick: (...args: unknown[]) => unknown) {
  return class Arena extends Room {
    override patchRate = null;
    override onCreate() {
      (this[method] as Loop)(tick, method === "setFixedTimestep" ? 200 : 5);
    }
  };
}
