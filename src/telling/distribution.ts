/** How often values fell between these bounds: one series of a histogram. Counts whatever it is given. */
export class Distribution {
  readonly bounds: readonly number[];
  /** One more than there are bounds: the last one counts what lies above them all. */
  readonly counts: number[];
  sum = 0;
  min = Infinity;
  max = -Infinity;
  /** The largest value since whoever reads it set it back to 0. */
  peak = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  /** A bound belongs to the bucket below it. No binary search: most values lie in the first buckets. */
  add(value: number): void {
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) {
      bucket += 1;
    }
    counts[bucket]! += 1;
    this.sum += value;
    if (value < this.min) {
      this.min = value;
    }
    if (value > this.max) {
      this.max = value;
    }
    if (value > this.peak) {
      this.peak = value;
    }
  }

  get count(): number {
    return this.counts.reduce((total, count) => total + count, 0);
  }
}
