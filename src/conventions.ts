export { ATTRIBUTES } from "./conventions/attributes.ts";
export { EVENTS } from "./conventions/events.ts";
export { LABELS, METRICS, SUMMARIES } from "./conventions/metrics.ts";
export { SPANS } from "./conventions/spans.ts";
export type { AttributeConvention, MetricConvention, SpanConvention, Summary } from "./internal/convention.ts";

/** The instrumentation scope of every span and metric. The version is package.json's (a test compares them). */
export const SCOPE = { name: "colyseus-otel", version: "0.1.0" } as const;

/** Values of `error.type`. Expected refusals leave the span's status unset. */
export const ERROR_TYPES = {
  noHandler: "no_handler",
  noRoom: "no_room",
  invalidRoom: "invalid_room",
  expired: "expired",
  roomFull: "room_full",
  ipcTimeout: "ipc_timeout",
  authFailed: "auth_failed",
  authError: "auth_error",
  refused: "refused",
  hookError: "hook_error",
  clientLeft: "client_left",
  unhandled: "unhandled",
  listenFailed: "listen_failed",
  orchestratorFailed: "orchestrator_failed",
  interrupted: "interrupted",
  allocationFailed: "allocation_failed",
  readyTimeout: "ready_timeout",
  contention: "contention",
  quota: "quota",
  deadline: "deadline",
  aborted: "aborted",
  unallocated: "unallocated",
  unavailable: "unavailable",
  tlsRefused: "tls_refused",
  queueFull: "queue_full",
  rejected: "rejected",
  notEncodable: "not_encodable",
} as const;
