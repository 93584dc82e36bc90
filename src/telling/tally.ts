import type { MetricConvention } from "../conventions.ts";
import { Distribution } from "./distribution.ts";
import type { Reading } from "./instruments.ts";

export type { Distribution } from "./distribution.ts";
export type { Reading } from "./instruments.ts";

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
    reading: (label) => () => seriesOf(label, counts),
  };
}

/** Values of a histogram by one bounded label, counted where they arise. */
export interface Distributions {
  /** Looked up once by who adds often. */
  of(key: string): Distribution;
  reading(label: string): Reading;
}

export function createDistributions({ buckets = [] }: MetricConvention): Distributions {
  const byKey = new Map<string, Distribution>();
  return {
    of(key) {
      let found = byKey.get(key);
      if (!found) {
        found = new Distribution(buckets);
        byKey.set(key, found);
      }
      return found;
    },
    reading: (label) => () => seriesOf(label, byKey),
  };
}

function* seriesOf<T extends number | Distribution>(label: string, values: ReadonlyMap<string, T>) {
  for (const [key, value] of values) {
    yield [{ [label]: key }, value] as const;
  }
}
