export interface Estimate {
  readonly median: number;
  /** Bounds between which the median lies with 95 % confidence (bootstrap). */
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2000;

/** @throws Error for no values at all */
export function estimate(values: readonly number[]): Estimate {
  const medians = Array.from({ length: RESAMPLES }, () => median(values.map(() => pick(values)))).toSorted(ascending);
  return {
    median: median(values),
    low: medians[Math.floor(RESAMPLES * 0.025)]!,
    high: medians[Math.floor(RESAMPLES * 0.975)]!,
  };
}

export function median(values: readonly number[]): number {
  if (values.length === 0) {
    throw new Error("no values, no median");
  }
  const sorted = values.toSorted(ascending);
  const half = sorted.length / 2;
  return (sorted[Math.floor(half)]! + sorted[Math.ceil(half) - 1]!) / 2;
}

/** A new array in random order. */
export function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function pick(values: readonly number[]): number {
  return values[Math.floor(Math.random() * values.length)]!;
}

function ascending(a: number, b: number): number {
  return a - b;
}
