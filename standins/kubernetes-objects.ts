import type { AllocationFault, Decision } from "./allocation-answers.ts";
import type { AllocationRequest, AllocationResponse } from "./allocation-protocol.ts";
import type { GameServer } from "./game-server.ts";

/** What goes over the wire as an answer. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object | string;
}

/** `metav1.Status` of a failure. */
export function failure(code: number, reason: string, message: string, headers: Reply["headers"] = {}): Reply {
  const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code };
  return { status: code, headers, body };
}

/** The GameServer resource, as far as a client looks at it. */
export function resourceOf(server: GameServer, resourceVersion: number): object {
  const { name, uid, createdAt, labels, annotations, state } = server;
  return {
    apiVersion: "agones.dev/v1",
    kind: "GameServer",
    metadata: {
      name,
      namespace: "default",
      uid,
      resourceVersion: String(resourceVersion),
      creationTimestamp: `${new Date(createdAt).toISOString().slice(0, 19)}Z`,
      labels,
      annotations,
    },
    spec: { container: "game" },
    status: { state, address: "127.0.0.1", nodeName: "node-1", ports: [{ name: "default", port: 7777 }] },
  };
}

interface Posted {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly spec?: {
    readonly selectors?: readonly {
      readonly matchLabels?: Readonly<Record<string, string>>;
      readonly gameServerState?: "Ready" | "Allocated";
    }[];
    readonly metadata?: Partial<NonNullable<AllocationRequest["metadata"]>>;
  };
}

/** A GameServerAllocation as the allocator takes it. Undefined where it is none. */
export function requestOf(body: unknown, namespace: string): AllocationRequest | undefined {
  const { apiVersion, kind, spec = {} } = (body ?? {}) as Posted;
  if (apiVersion !== "allocation.agones.dev/v1" || kind !== "GameServerAllocation") return undefined;
  return {
    namespace,
    gameServerSelectors: (spec.selectors ?? []).map(({ matchLabels = {}, gameServerState }) => ({
      matchLabels,
      gameServerState: gameServerState === "Allocated" ? "ALLOCATED" : "READY",
    })),
    metadata: { labels: spec.metadata?.labels ?? {}, annotations: spec.metadata?.annotations ?? {} },
  };
}

/** What the Kubernetes API answers to a posted allocation. Undefined for nothing. */
export function replyOf({ state, fault, response }: Decision, posted: object): Reply | undefined {
  if (state === "Unanswered") return undefined;
  const refusal = fault && REFUSALS[fault];
  return refusal ?? { status: 201, body: { ...posted, status: statusOf(state, response) } };
}

function statusOf(state: Decision["state"], response: AllocationResponse | undefined): object {
  if (!response) return { state, gameServerName: "", ports: null, address: "", nodeName: "", source: "" };
  return { state, ...response };
}

const REFUSALS: Partial<Record<AllocationFault, Reply>> = {
  refuse: failure(403, "Forbidden", 'gameserverallocations is forbidden: User "matchmaker" cannot create resource'),
  unauthorized: failure(401, "Unauthorized", "Unauthorized"),
  conflict: failure(409, "Conflict", "the object has been modified; please apply your changes to the latest version"),
  // Not a Status: priority and fairness answers before anybody looks at the request.
  busy: { status: 429, headers: { "retry-after": "1" }, body: "Too many requests, please try again later.\n" },
  quota: failure(403, "Forbidden", 'gameserverallocations "a" is forbidden: exceeded quota: matches, used: 9'),
  late: failure(504, "Timeout", "Timeout: request did not complete within the allotted timeout"),
};
