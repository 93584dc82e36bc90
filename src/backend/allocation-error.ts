import type { ERROR_TYPES } from "../conventions.ts";

/**
 * Why there is no server.
 *
 * - `"ready_timeout"`: the orchestrator answered, and no server was Ready inside the deadline.
 * - `"contention"`: too many asked at once, until the deadline.
 * - `"quota"`: a limit of the cluster or the service. Of requests: until the deadline; of objects: at once.
 * - `"deadline"`: nobody answered inside the deadline.
 * - `"allocation_failed"`: refused (TLS, permission, a bad request), or not reachable.
 * - `"aborted"`: by the caller's signal, or because the provider was closed.
 */
export type AllocationOutcome = (typeof ERROR_TYPES)[
  | "readyTimeout"
  | "contention"
  | "quota"
  | "deadline"
  | "allocationFailed"
  | "aborted"];

interface Details {
  readonly outcome: AllocationOutcome;
  readonly attempts: number;
  readonly cause: unknown;
}

/** `allocate()` had no server. `cause` is the last answer's error, or the signal's reason. */
export class AllocationError extends Error {
  override readonly name = "AllocationError";
  /** Also the label `outcome` of `game.provision.outcomes`. */
  readonly outcome: AllocationOutcome;
  /** Calls of the orchestrator. */
  readonly attempts: number;

  constructor(message: string, { outcome, attempts, cause }: Details) {
    super(message, { cause });
    this.outcome = outcome;
    this.attempts = attempts;
  }
}
