import { ERROR_TYPES } from "../../conventions.ts";
import type { Failure } from "../../telling/step.ts";
import type { AllocationOutcome } from "../allocation-error.ts";
import type { Refusal } from "../provider.ts";

/** What the allocator says when no GameServer is Ready, in whatever code `http-unallocated-status-code` makes of it. */
export const NONE_READY = "there is no available GameServer to allocate";
/** The one that it had chosen was changed by somebody else; the allocator has no code for it. */
export const CHOSEN_CHANGED = "could not update the selected GameServer";

/** No code says it: the peer's certificate, ours, or a port that speaks no TLS. */
export const TLS_REFUSED = /certificate|SSL routines/i;

/** One call that gave no server: what its span says, and what `allocate()` makes of it. */
export interface Refused {
  readonly failure: Failure;
  readonly refusal: Refusal;
}

/** Of a call that may be repeated, and that an operator need not see one by one, the span has no Error status. */
const EXPECTED: readonly string[] = [
  ERROR_TYPES.unallocated,
  ERROR_TYPES.contention,
  ERROR_TYPES.quota,
  ERROR_TYPES.aborted,
];

export function refused(
  type: string,
  outcome: AllocationOutcome,
  message: string,
  cause: unknown,
  { again = true, ...rest }: Partial<Pick<Refusal, "again" | "state" | "retryAfter">> = {},
): Refused {
  return {
    failure: { type, expected: EXPECTED.includes(type), message },
    refusal: { outcome, again, message, cause, ...rest },
  };
}

export function noneReady(cause?: unknown): Refused {
  return refused(ERROR_TYPES.unallocated, ERROR_TYPES.readyTimeout, NONE_READY, cause, { state: "UnAllocated" });
}

export function contention(message: string, cause: unknown): Refused {
  return refused(ERROR_TYPES.contention, ERROR_TYPES.contention, message, cause, { state: "Contention" });
}

/** A limit on requests: asked again, not before `retryAfter` milliseconds. */
export function tooMany(message: string, cause: unknown, retryAfter?: number): Refused {
  return refused(ERROR_TYPES.quota, ERROR_TYPES.quota, message, cause, { retryAfter });
}

/** Our deadline, or one of the service's own, which leaves time to ask again. */
export function late(message: string, cause: unknown): Refused {
  return refused(ERROR_TYPES.deadline, ERROR_TYPES.deadline, message, cause);
}

/** Nobody is there; or somebody who is not to be trusted, or who will never do what is asked. */
export function failed(
  type: typeof ERROR_TYPES.unavailable | typeof ERROR_TYPES.tlsRefused | typeof ERROR_TYPES.refused,
  message: string,
  cause: unknown,
  retryAfter?: number,
): Refused {
  const again = type === ERROR_TYPES.unavailable;
  return refused(type, ERROR_TYPES.allocationFailed, message, cause, { again, retryAfter });
}

export function abortedCall(cause: unknown): Refused {
  return refused(ERROR_TYPES.aborted, ERROR_TYPES.aborted, "aborted", cause, { again: false });
}
