import { ERROR_TYPES } from "../../conventions.ts";
import { describe } from "../../internal/report.ts";
import { ownValue } from "../../propagation/traceparent.ts";
import type { Failure } from "../../telling/step.ts";
import type { AllocationOutcome } from "../allocation-error.ts";
import type { Found, Refusal } from "../provider.ts";
import { Unanswered, type GameSession } from "./api.ts";

/** One call that gave no game session: what its span says, and what `allocate()` makes of it. */
export interface Refused {
  readonly failure: Failure;
  readonly refusal: Refusal;
  /** The game session may have been started all the same. */
  readonly unclear: boolean;
}

export interface Verdict {
  readonly type: string;
  readonly outcome: AllocationOutcome;
  readonly again: boolean;
  readonly unclear?: boolean;
  readonly retryAfter?: number;
}

/** Server processes come in minutes or as matches end, and AWS counts the calls of the whole account. */
const POLITE_MS = 1000;

const { aborted, contention, deadline, quota, readyTimeout, allocationFailed } = ERROR_TYPES;

export const NONE_READY: Verdict = {
  type: ERROR_TYPES.unallocated,
  outcome: readyTimeout,
  again: true,
  retryAfter: POLITE_MS,
};
export const NOT_ACTIVE: Verdict = { type: readyTimeout, outcome: readyTimeout, again: false };
const ABORTED: Verdict = { type: aborted, outcome: aborted, again: false, unclear: true };
const DEADLINE: Verdict = { type: deadline, outcome: deadline, again: false, unclear: true };
const AWAY: Verdict = { type: ERROR_TYPES.unavailable, outcome: allocationFailed, again: true, unclear: true };
const REFUSED: Verdict = { type: ERROR_TYPES.refused, outcome: allocationFailed, again: false };
/** Unclear, because the call may have been made before, by us or by the AWS client, and that one have had no answer. */
const THROTTLED: Verdict = { type: quota, outcome: quota, again: true, unclear: true, retryAfter: POLITE_MS };
/** What was begun came to nothing, and another one may come to something. */
export const FAILED: Verdict = { type: allocationFailed, outcome: allocationFailed, again: true };
/** Somebody has stopped it. */
export const CANCELLED: Verdict = { ...FAILED, again: false };

const BY_NAME: Readonly<Record<string, Verdict>> = {
  FleetCapacityExceededException: NONE_READY,
  // Of a limit that somebody has set, and has to raise.
  LimitExceededException: { type: quota, outcome: quota, again: false },
  // A call with the same token that is still under way says so too.
  ConflictException: { type: contention, outcome: contention, again: true, unclear: true },
};
/** The service models none of them: they come from what stands before it. */
const THROTTLING = /Throttl|TooManyRequests|RequestLimitExceeded/;
/** ECONNRESET and the like, but none of Node's own ERR_. */
const NETWORK = /^E(?!RR_)/;

/** It could not be found out what became of a call that was not answered. */
export class Unclear extends Error {
  override readonly name = "Unclear";
}

/** Reads the error of a call. */
export function refusedBy(error: unknown, signal: AbortSignal): Refused {
  if (error instanceof Unclear) {
    return { ...refusedBy(error.cause, signal), unclear: true };
  }
  return refused(verdictOn(error, signal), describe(error), error);
}

export function refused(verdict: Verdict, message: string, cause?: unknown): Refused {
  const { type, outcome, again, unclear = false, retryAfter } = verdict;
  // Of a call that may be repeated, and that an operator need not see one by one, the span has no Error status.
  const expected = again ? type !== ERROR_TYPES.unavailable && type !== allocationFailed : type === aborted;
  return { failure: { type, expected, message }, refusal: { outcome, again, message, cause, retryAfter }, unclear };
}

function verdictOn(error: unknown, signal: AbortSignal): Verdict {
  if (signal.aborted) {
    return ABORTED;
  }
  if (error instanceof Unanswered) {
    return DEADLINE;
  }
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  const status = ownValue(ownValue(error, "$metadata"), "httpStatusCode");
  if (status === 429 || THROTTLING.test(String(name))) {
    return THROTTLED;
  }
  const away = name === "TimeoutError" || (typeof code === "string" && NETWORK.test(code));
  return BY_NAME[String(name)] ?? (away || Number(status) >= 500 ? AWAY : REFUSED);
}

/** For `catch()`: AWS does not show everything at once that it has begun. */
export function unlessUnknown(error: unknown): undefined {
  if ((error as Error).name !== "NotFoundException") {
    throw error;
  }
}

export function serverOf(session: GameSession): Found {
  const { GameSessionId: name = "", IpAddress: ip, DnsName: dns, Port: port, GameProperties = [] } = session;
  return {
    name,
    address: ip ?? dns ?? "",
    port,
    ports: port === undefined ? [] : [{ name: "default", port }],
    addresses: [
      ...(ip === undefined ? [] : [{ type: "ExternalIP", address: ip }]),
      ...(dns === undefined ? [] : [{ type: "Hostname", address: dns }]),
    ],
    node: session.ComputeName ?? "",
    source: session.Location ?? session.GameSessionRegion ?? "",
    labels: {},
    annotations: Object.fromEntries(GameProperties.map(({ Key = "", Value = "" }) => [Key, Value])),
  };
}
