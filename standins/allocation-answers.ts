import type { Allocation } from "./agones-sidecar.ts";
import type { AllocationRequest, AllocationResponse } from "./allocation-protocol.ts";
import type { GameServer } from "./game-server.ts";

/**
 * - `refuse`: has no right to; `unauthorized`: is nobody.
 * - `contention`: too many at once; `conflict`: somebody else changed the server that was chosen.
 * - `empty`: nothing is Ready (by the service: as an empty answer, with `http-unallocated-status-code` 200).
 * - `busy`: too many requests, come back later; `quota`: too many objects.
 * - `late`: its own time for the request was over.
 * - `hang`: takes the request, does nothing and never answers.
 * - `mute`: allocates, and never answers.
 * - `slow`: allocates, and answers 300 ms later.
 */
export type AllocationFault =
  | "refuse"
  | "unauthorized"
  | "contention"
  | "conflict"
  | "empty"
  | "busy"
  | "quota"
  | "late"
  | "hang"
  | "mute"
  | "slow";

export const SLOW_MS = 300;

/** How a request came out, as the allocator saw it. */
export type AllocationState = "Allocated" | "UnAllocated" | "Contention" | "Quota" | "Refused" | "Unanswered";

/** A sidecar stand-in, and where its game listens. */
export interface RegisteredServer {
  gameServer(): GameServer;
  allocate(allocation: Allocation): GameServer;
  /** Calls back at every change, until it is undone. */
  watch(changed: () => void): () => void;
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
  readonly state: AllocationState;
  readonly fault: AllocationFault | undefined;
  /** Where a server was allocated. */
  readonly response?: AllocationResponse;
}

const STATES: Partial<Record<AllocationFault, AllocationState>> = {
  refuse: "Refused",
  unauthorized: "Refused",
  contention: "Contention",
  conflict: "Contention",
  empty: "UnAllocated",
  busy: "Quota",
  quota: "Quota",
  late: "Refused",
  hang: "Unanswered",
};

/** What to answer; without a response by the fault, or that nothing is Ready. */
export function decide(
  request: AllocationRequest,
  fault: AllocationFault | undefined,
  registered: readonly Registered[],
): Decision {
  const state = fault && STATES[fault];
  if (state) {
    return { state, fault };
  }
  const found = candidate(request, registered);
  if (!found) {
    return { state: "UnAllocated", fault };
  }
  const { annotations = {}, labels = {} } = request.metadata ?? {};
  const allocated = found.server.allocate({ annotations, labels });
  return fault === "mute"
    ? { state: "Unanswered", fault }
    : { state: "Allocated", fault, response: responseOf(found, allocated) };
}

/** The first selector that finds a server wins. Without one any Ready server does. */
export function candidate(
  { namespace, gameServerSelectors }: AllocationRequest,
  registered: readonly Registered[],
): Registered | undefined {
  const selectors =
    gameServerSelectors.length > 0 ? gameServerSelectors : [{ matchLabels: {}, gameServerState: "READY" as const }];
  for (const { matchLabels, gameServerState } of namespace === "default" ? selectors : []) {
    const state = gameServerState === "ALLOCATED" ? "Allocated" : "Ready";
    const found = registered.find(({ server }) => {
      const { state: current, labels } = server.gameServer();
      return current === state && Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
    });
    if (found) {
      return found;
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
