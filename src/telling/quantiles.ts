import type { Distribution } from "./distribution.ts";

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * Reads distributions a stretch at a time: each answer covers what came since the one before. Undefined when nothing
 * came, so that a gauge keeps its last value instead of a 0 that nobody measured.
 */
export function createQuantileReader(): (distribution: Distribution) => Quantiles | undefined {
  const before = new WeakMap<Distribution, number[]>();
  return (distribution) => {
    const counts = [...distribution.counts];
    const last = before.get(distribution);
    const fresh = last ? counts.map((count, bucket) => count - last[bucket]!) : counts;
    before.set(distribution, counts);
    const max = distribution.peak;
    distribution.peak = 0;
    const total = fresh.reduce((sum, count) => sum + count, 0);
    const at = (share: number) => quantile(distribution.bounds, fresh, share * total, max);
    return total === 0 ? undefined : { p50: at(0.5), p99: at(0.99), max };
  };
}

/** As histogram_quantile() of Prometheus guesses inside a bucket; but never above the largest value. */
function quantile(bounds: readonly number[], counts: readonly number[], rank: number, max: number): number {
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    if (count > 0 && below + count >= rank) {
      const lower = bounds[bucket - 1] ?? 0;
      const upper = Math.min(bounds[bucket] ?? max, max);
      return lower + ((rank - below) / count) * (upper - lower);
    }
    below += count;
  }
  return max;
}
