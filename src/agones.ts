import { checkDuration, checkFunction, checkKeys } from "./internal/check.ts";
import { createAgones } from "./orchestrators/agones/adapter.ts";
import type { GameServer } from "./orchestrators/agones/sdk.ts";
import type { Orchestrator } from "./orchestrators/orchestrator.ts";

export type { GameServer } from "./orchestrators/agones/sdk.ts";
export type { Orchestrator } from "./orchestrators/orchestrator.ts";

export interface AgonesOptions {
  /**
   * Milliseconds for connecting, and again for Ready() until Ready is seen. Past it the boot counts as failed.
   *
   * @default 30000
   */
  readonly deadline?: number;
  /**
   * Milliseconds between health pings. Keep it below the Fleet's `health.periodSeconds` (5 s by default).
   *
   * @default 2000
   */
  readonly healthInterval?: number;
  /**
   * Runs at each allocation, inside `gameserver.allocated`: load the match's map here. The server counts as playable
   * when it is done. What it throws is reported, and the server stays allocated.
   */
  readonly onAllocated?: (gameServer: GameServer) => unknown;
}

const KNOWN = ["deadline", "healthInterval", "onAllocated"] as const satisfies (keyof AgonesOptions)[];

/**
 * Agones, by the sidecar's gRPC port (install `@grpc/grpc-js` beside this package). Needs no Agones SDK.
 *
 * @throws TypeError for an unknown option, or a value of the wrong kind
 */
export function agones(options: AgonesOptions = {}): Orchestrator {
  checkKeys("agones", options, KNOWN);
  const { deadline = 30_000, healthInterval = 2000, onAllocated } = options;
  if (onAllocated !== undefined) {
    checkFunction("agones.onAllocated", onAllocated);
  }
  return createAgones({
    deadline: checkDuration("agones.deadline", deadline),
    healthInterval: checkDuration("agones.healthInterval", healthInterval),
    onAllocated,
  });
}
