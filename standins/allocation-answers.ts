import { status } from "@grpc/grpc-js";
import type { Allocation } from "./agones-sidecar.ts";
import type { AllocationRequest, AllocationResponse } from "./allocation-protocol.ts";
import type { GameServer } from "./game-server.ts";

/**
 * - `refuse`: PERMISSION_DENIED.
 * - `contention`: too many at once.
 * - `empty`: nothing is Ready, and `http-unallocated-status-code` is 200.
 * - `hang`: takes the request, does nothing and never answers.
 * - `mute`: allocates, and never answers.
 */
export type AllocationFault = "refuse" | "contention" | "empty" | "hang" | "mute";

/** How requests came out, as the service saw it. */
export type AllocationTally = Readonly<
  Record<"Allocated" | "UnAllocated" | "Contention" | "Refused" | "Unanswered", number>
>;

/** A sidecar stand-in, and where its game listens. */
export interface RegisteredServer {
  gameServer(): GameServer;
  allocate(allocation: Allocation): GameServer;
}

export interface GameAddress {
  /** @default 7777 */
  readonly port?: number;
  /** @default "node-1" */
  readonly node?: string;
}

export interface Registered extends Required<GameAddress> {
  readonly server: RegisteredServer;
}

export interface Decision {
  readonly state: keyof AllocationTally;
  readonly response?: AllocationResponse | Record<string, never>;
  readonly error?: { readonly code: status; readonly details: string };
}

/** What to answer; neither response nor error for nothing at all. */
export function decide(
  request: AllocationRequest,
  fault: AllocationFault | undefined,
  registered: readonly Registered[],
): Decision {
  switch (fault) {
    case "refuse":
      return {
        state: "Refused",
        error: { code: status.PERMISSION_DENIED, details: "the stand-in was told to refuse" },
      };
    case "contention":
      return {
        state: "Contention",
        error: { code: status.ABORTED, details: "too many concurrent requests have overwhelmed the system" },
      };
    case "empty":
      return { state: "UnAllocated", response: {} };
    case "hang":
      return { state: "Unanswered" };
    default: {
      const decision = take(request, registered) ?? NONE_READY;
      return fault === "mute" && decision.response ? { state: "Unanswered" } : decision;
    }
  }
}

const NONE_READY: Decision = {
  state: "UnAllocated",
  error: { code: status.RESOURCE_EXHAUSTED, details: "there is no available GameServer to allocate" },
};

// The first selector that finds a server wins. Without one any Ready server does.
function take(request: AllocationRequest, registered: readonly Registered[]): Decision | undefined {
  const { namespace, gameServerSelectors, metadata } = request;
  const selectors =
    gameServerSelectors.length > 0 ? gameServerSelectors : [{ matchLabels: {}, gameServerState: "READY" as const }];
  for (const { matchLabels, gameServerState } of selectors) {
    const state = gameServerState === "ALLOCATED" ? "Allocated" : "Ready";
    const found = registered.find(({ server }) => {
      const { state: current, labels } = server.gameServer();
      return current === state && Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
    });
    if (found && namespace === "default") {
      const { annotations = {}, labels = {} } = metadata ?? {};
      return { state: "Allocated", response: responseOf(found, found.server.allocate({ annotations, labels })) };
    }
  }
  return undefined;
}

function responseOf({ port, node }: Registered, { name, labels, annotations }: GameServer): AllocationResponse {
  return {
    gameServerName: name,
    ports: [{ name: "default", port }],
    address: "127.0.0.1",
    addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
    nodeName: node,
    source: "local",
    metadata: { labels, annotations },
  };
}
