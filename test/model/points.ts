/** Values by metric and labels: `colyseus.rooms room=arena`. Of histograms, the counts. */
export type Points = ReadonlyMap<string, number>;

type Labels = Readonly<Record<string, string | undefined>>;

export class Counts extends Map<string, number> {
  count(metric: string, labels: Labels): void {
    const pairs = Object.entries(labels).filter(([, value]) => value !== undefined);
    this.add([metric, ...pairs.map(([label, value]) => `${label}=${value}`).toSorted()].join(" "), 1);
  }

  add(point: string, value: number): void {
    this.set(point, (this.get(point) ?? 0) + value);
  }
}

export function sumOf(...all: readonly Points[]): Counts {
  const sum = new Counts();
  for (const [point, value] of all.flatMap((points) => [...points])) {
    sum.add(point, value);
  }
  return sum;
}

/** What is not as expected, a line a point. A series at 0 is as good as none. */
export function differences(expected: Points, actual: Points): string[] {
  const points = new Set([...expected.keys(), ...actual.keys()]);
  return [...points].toSorted().flatMap((point) => {
    const [should, is] = [expected.get(point) ?? 0, actual.get(point) ?? 0];
    return should === is ? [] : [`${point} is ${is}, should be ${should}`];
  });
}
