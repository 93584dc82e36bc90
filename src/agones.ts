import { checkDuration, checkFunction, checkKeys, checkOneOf, checkShape, show } from "./internal/check.ts";
import { createAgones } from "./orchestrators/agones/adapter.ts";
import { overGrpc } from "./orchestrators/agones/grpc.ts";
import { overHttp } from "./orchestrators/agones/http.ts";
import { overOwnSdk, SDK_METHODS, type AgonesSdk } from "./orchestrators/agones/own-sdk.ts";
import type { GameServer, Way } from "./orchestrators/agones/sidecar.ts";
import type { Orchestrator } from "./orchestrators/orchestrator.ts";

export type { AgonesSdk } from "./orchestrators/agones/own-sdk.ts";
export type { GameServer } from "./orchestrators/agones/sidecar.ts";
export type { Orchestrator } from "./orchestrators/orchestrator.ts";

export interface AgonesOptions {
  /**
   * How the sidecar is spoken to. `"grpc"` needs `@grpc/grpc-js` beside this package, as the OTLP/gRPC exporter does;
   * `"http"`, by the sidecar's own gateway, needs nothing and loads nothing before Ready.
   *
   * @default "grpc"
   */
  readonly transport?: "grpc" | "http";
  /**
   * The SDK object that the program has already, of `@google-cloud/agones-sdk`, instead of a connection of our own. It
   * stays the program's to close, and after an outage it connects again when it pleases, which may take two minutes.
   */
  readonly sdk?: AgonesSdk;
  /**
   * Milliseconds for connecting, and again for Ready() until Ready is seen. Past it the boot counts as failed.
   *
   * @default 30000
   */
  readonly deadline?: number;
  /**
   * Milliseconds between health pings; half the Fleet's `health.periodSeconds` where that is less.
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

const KNOWN = [
  "transport",
  "sdk",
  "deadline",
  "healthInterval",
  "onAllocated",
] as const satisfies (keyof AgonesOptions)[];

/**
 * Agones, by the sidecar beside the game server. Needs no Agones SDK.
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
    way: wayOf(options),
    deadline: checkDuration("agones.deadline", deadline),
    healthInterval: checkDuration("agones.healthInterval", healthInterval),
    onAllocated,
  });
}

function wayOf({ transport, sdk }: AgonesOptions): Way {
  if (sdk === undefined) {
    return checkOneOf("agones.transport", transport ?? "grpc", ["grpc", "http"]) === "http" ? overHttp() : overGrpc();
  }
  if (transport !== undefined) {
    throw new TypeError(`agones.transport must not stand beside agones.sdk, got ${show(transport)}`);
  }
  return overOwnSdk(checkShape<AgonesSdk>("agones.sdk", sdk, SDK_METHODS));
}
