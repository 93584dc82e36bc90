import { ERROR_TYPES } from "../../conventions.ts";
import { describe } from "../../internal/report.ts";
import type { Failure } from "../../telling/step.ts";
import type { AllocationOutcome } from "../allocation-error.ts";
import type { AllocatedServer, Refusal } from "../provider.ts";
import type { AllocateResponse } from "./protocol.ts";

/** gRPC status codes. The package itself is loaded later. */
const [CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, UNAVAILABLE] = [1, 4, 8, 10, 14];

/** What the allocator says when no GameServer is Ready, in whatever code `http-unallocated-status-code` makes of it. */
const NONE_READY = "there is no available GameServer to allocate";
/** The one that it had chosen was changed by somebody else; the allocator answers with code Unknown. */
const CHOSEN_CHANGED = "could not update the selected GameServer";
/** gRPC gives no code for it: the peer's certificate, ours, or a port that speaks no TLS. */
const TLS_REFUSED = /certificate|SSL routines/i;

type State = "Allocated" | "UnAllocated" | "Contention";

/** One call that gave no server: what its span says, and what `allocate()` makes of it. */
export interface Refused {
  readonly state: State | undefined;
  readonly failure: Failure;
  readonly refusal: Refusal;
}

/** Undefined where nothing was allocated: with `http-unallocated-status-code` 200 the refusal is an empty response. */
export function serverOf(response: AllocateResponse): Omit<AllocatedServer, "attempts"> | undefined {
  const { gameServerName: name, address, ports, addresses, nodeName: node, source, metadata } = response;
  if (name === "") {
    return undefined;
  }
  const { labels = {}, annotations = {} } = metadata ?? {};
  return { name, address, port: ports[0]?.port, ports, addresses, node, source, labels, annotations };
}

export function noneReady(cause?: unknown): Refused {
  return refused(ERROR_TYPES.unallocated, ERROR_TYPES.readyTimeout, NONE_READY, cause, { state: "UnAllocated" });
}

/** Reads the error of a call. */
export function refusedBy(error: unknown, signal: AbortSignal): Refused {
  const { code, message } = statusOf(error);
  if (signal.aborted) {
    return refused(ERROR_TYPES.aborted, ERROR_TYPES.aborted, "aborted", error, { again: false });
  }
  if (code === RESOURCE_EXHAUSTED || message.includes(NONE_READY)) {
    return noneReady(error);
  }
  if (code === ABORTED || message.includes(CHOSEN_CHANGED)) {
    return refused(ERROR_TYPES.contention, ERROR_TYPES.contention, message, error, { state: "Contention" });
  }
  if (code === DEADLINE_EXCEEDED) {
    return refused(ERROR_TYPES.deadline, ERROR_TYPES.deadline, message, error, { again: false });
  }
  if (code === UNAVAILABLE && TLS_REFUSED.test(message)) {
    return refused(ERROR_TYPES.tlsRefused, ERROR_TYPES.allocationFailed, message, error, { again: false });
  }
  // A service that shuts down cancels what it has not answered.
  const away = code === UNAVAILABLE || code === CANCELLED;
  const type = away ? ERROR_TYPES.unavailable : ERROR_TYPES.refused;
  return refused(type, ERROR_TYPES.allocationFailed, message, error, { again: away });
}

/** After these the channel is not to be trusted; any other code is an answer. */
export function isBroken(error: unknown): boolean {
  const { code } = statusOf(error);
  return code === UNAVAILABLE || code === CANCELLED || code === DEADLINE_EXCEEDED;
}

/** Of a call that may be repeated, and that an operator need not see one by one, the span has no Error status. */
const EXPECTED: readonly string[] = [ERROR_TYPES.unallocated, ERROR_TYPES.contention, ERROR_TYPES.aborted];

function refused(
  type: string,
  outcome: AllocationOutcome,
  message: string,
  cause: unknown,
  { state, again = true }: { readonly state?: State; readonly again?: boolean },
): Refused {
  return {
    state,
    failure: { type, expected: EXPECTED.includes(type), message },
    refusal: { outcome, again, message, cause },
  };
}

function statusOf(error: unknown): { readonly code: unknown; readonly message: string } {
  const { code, details } = (error ?? {}) as { code?: unknown; details?: unknown };
  const message = typeof details === "string" ? details : describe(error);
  return { code, message: message.replaceAll(/\s+/g, " ").replace(/\. Resolution note: $/, "") };
}
