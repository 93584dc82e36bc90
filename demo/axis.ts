import type { ReceivedSpan } from "./receiver/spans.ts";

/** The stretch of time that bars are drawn on. */
export interface Axis {
  /** Epoch milliseconds. */
  readonly start: number;
  /** Milliseconds. */
  readonly length: number;
  /** True where the trace goes on behind the axis. */
  readonly clipped: boolean;
}

/**
 * The whole trace; or, where nothing happens for two thirds of it, the part before that: a player's stay is a thousand
 * times their way in, and beside it everything that matters would be one cell wide.
 */
export function axisOf(trace: readonly ReceivedSpan[]): Axis {
  const events = trace.flatMap(({ startMs, endMs }) => [startMs, endMs]).sort((a, b) => a - b);
  const start = events[0] ?? 0;
  const length = (events.at(-1) ?? 0) - start;
  for (const [at, time] of events.entries()) {
    const next = events[at + 1] ?? time;
    if (time > start && next - time > (length * 2) / 3) return { start, length: time - start, clipped: true };
  }
  return { start, length, clipped: false };
}

/** A span's place, to scale in `width` columns. Too short for a cell: a thin mark. Past the axis' end: `▶`. */
export function barOf({ startMs, endMs }: ReceivedSpan, { start, length, clipped }: Axis, width: number): string {
  const cell = length > 0 ? width / length : 0;
  const first = Math.min(width - 1, Math.floor((startMs - start) * cell));
  const goesOn = clipped && endMs > start + length;
  const cells = goesOn ? width - first - 1 : Math.min(width - first, Math.round((endMs - startMs) * cell));
  const bar = cells < 1 && !goesOn ? "▏" : "█".repeat(cells);
  return `${" ".repeat(first)}${bar}${goesOn ? "▶" : ""}`.padEnd(width);
}
