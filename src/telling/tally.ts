import type { Reading } from "./instruments.ts";

/** Exact counts by one bounded label. */
export interface Tally {
  add(key: string, delta: 1 | -1): void;
  get(key: string): number;
  /** The counts as series with this label. Keys that went back to 0 stay: a gauge that vanishes alarms nobody. */
  reading(label: string): Reading;
}

export function createTally(): Tally {
  const counts = new Map<string, number>();
  return {
    add(key, delta) {
      counts.set(key, (counts.get(key) ?? 0) + delta);
    },
    get: (key) => counts.get(key) ?? 0,
    reading: (label) =>
      function* readCounts() {
        for (const [key, count] of counts) {
          yield [{ [label]: key }, count] as const;
        }
      },
  };
}
