import type { HrTime } from "@opentelemetry/api";

/** Above this the wall clock was set, not slewed. */
const STEP_MS = 20;

/** The wall clock is asked for it this often: it costs as much as the monotonic one. */
const CHECK_EVERY_MS = 1000;

let origin = performance.timeOrigin;
let checkedAt = 0;

/** Process start in epoch milliseconds. */
export const PROCESS_START: number = performance.timeOrigin;

/**
 * Now in epoch milliseconds with a fraction. `performance.timeOrigin` is the wall clock at process start and drifts
 * from it over days: after a suspended machine spans would lie hours in the past, so the origin follows the wall clock
 * when they part.
 */
export function now(): number {
  const monotonic = performance.now();
  if (monotonic - checkedAt > CHECK_EVERY_MS) {
    checkedAt = monotonic;
    followWallClock(monotonic);
  }
  return origin + monotonic;
}

function followWallClock(monotonic: number): void {
  const wall = Date.now();
  if (Math.abs(wall - origin - monotonic) > STEP_MS) {
    origin = wall - monotonic;
  }
}

/**
 * Epoch milliseconds as OpenTelemetry's [seconds, nanoseconds]. Never hand the SDK a plain number: one that lies before
 * the process start (an allocation that waited for this server) is read as a `performance.now()`. Filled into `into`.
 */
export function hrTime(epochMs: number, into: HrTime = [0, 0]): HrTime {
  const seconds = Math.floor(epochMs / 1000);
  into[0] = seconds;
  into[1] = Math.round((epochMs - seconds * 1000) * 1e6);
  return into;
}
