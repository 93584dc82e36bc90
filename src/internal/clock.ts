import type { HrTime } from "@opentelemetry/api";

/** Above this the wall clock was set, not slewed. */
const STEP_MS = 20;

let origin = performance.timeOrigin;

/** Process start in epoch milliseconds. */
export const PROCESS_START: number = performance.timeOrigin;

/**
 * Now in epoch milliseconds with a fraction. `performance.timeOrigin` is the wall clock at process start and drifts
 * from it over days: after a suspended machine spans would lie hours in the past, so the origin follows the wall clock
 * when they part.
 */
export function now(): number {
  const monotonic = performance.now();
  const wall = Date.now();
  if (Math.abs(wall - origin - monotonic) > STEP_MS) {
    origin = wall - monotonic;
  }
  return origin + monotonic;
}

/**
 * Epoch milliseconds as OpenTelemetry's [seconds, nanoseconds]. Never hand the SDK a plain number: one that lies before
 * the process start (an allocation that waited for this server) is read as a `performance.now()`.
 */
export function hrTime(epochMs: number): HrTime {
  const seconds = Math.floor(epochMs / 1000);
  return [seconds, Math.round((epochMs - seconds * 1000) * 1e6)];
}
