import type { Attributes } from "@opentelemetry/api";
import type { MetricConvention } from "../conventions.ts";
import { guard } from "../internal/report.ts";
import { Distribution } from "./distribution.ts";
import type { Label } from "./measures.ts";
import { labelsOf, type Metering, type Reading } from "./instruments.ts";

/** As the SDK's: what comes beyond them is counted in one series more, so that nothing grows without bound. */
const MAX_SERIES = 2000;
const OVERFLOW: Attributes = { "otel.metric.overflow": true };

/**
 * Our metrics in series of our own: 0.04 us a record, where the SDK's instruments hash the labels each time and take 0.4
 * to 0.9.
 */
export interface Ledger extends Metering {
  /** What there is now, metric by metric. Totals since the start, whoever asks. */
  collect(): Iterable<LedgerMetric>;
}

export interface LedgerMetric {
  readonly metric: MetricConvention;
  readonly series: readonly LedgerSeries[];
}

export interface LedgerSeries {
  readonly labels: Attributes;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly value: number | Distribution;
}

export function createLedger(): Ledger {
  // By name: each bundle of this package has a table of its own.
  const families = new Map<string, Family>();
  const observed = new Set<{ readonly since: number; readonly metric: MetricConvention; readonly read: Reading }>();
  return {
    record(metric, value, ...labels) {
      // NaN as well: one of them would make a sum NaN for ever.
      if (!(value >= 0)) {
        return;
      }
      let family = families.get(metric.name);
      if (!family) {
        family = new Family(metric);
        families.set(metric.name, family);
      }
      family.cellOf(labels).add(value);
    },
    observe(readings) {
      const since = Date.now();
      const added = [...readings].map(([metric, read]) => ({ since, metric, read }));
      added.forEach((reading) => observed.add(reading));
      return () => added.forEach((reading) => observed.delete(reading));
    },
    *collect() {
      for (const { metric, series } of families.values()) {
        yield { metric, series: series.map(({ labels, since, cell }) => ({ labels, since, value: cell.value })) };
      }
      for (const { since, metric, read } of observed) {
        const series = guard(metric.name, () => Array.from(read(), ([labels, value]) => ({ labels, since, value })));
        if (series && series.length > 0) {
          yield { metric, series };
        }
      }
    },
  };
}

interface Cell {
  readonly value: number | Distribution;
  add(value: number): void;
}

/** The series of one metric, as a tree with a level for each label. */
class Family {
  readonly metric: MetricConvention;
  readonly series: { readonly labels: Attributes; readonly since: number; readonly cell: Cell }[] = [];
  readonly #root = new Branch();
  #overflow: Cell | undefined;

  constructor(metric: MetricConvention) {
    this.metric = metric;
  }

  cellOf(labels: readonly Label[]): Cell {
    let at: Branch | undefined = this.#root;
    for (let level = 0; level < this.metric.labels.length && at; level += 1) {
      at = at.next.get(labels[level]);
    }
    return at?.cell ?? this.#open(labels);
  }

  #open(labels: readonly Label[]): Cell {
    if (this.series.length >= MAX_SERIES - 1) {
      return (this.#overflow ??= this.#add(OVERFLOW));
    }
    let at = this.#root;
    for (let level = 0; level < this.metric.labels.length; level += 1) {
      at = at.grow(labels[level]);
    }
    at.cell = this.#add(labelsOf(this.metric, labels));
    return at.cell;
  }

  #add(labels: Attributes): Cell {
    const { buckets } = this.metric;
    const cell = buckets ? new Counts(buckets) : new Total();
    this.series.push({ labels, since: Date.now(), cell });
    return cell;
  }
}

class Branch {
  readonly next = new Map<unknown, Branch>();
  cell: Cell | undefined;

  grow(label: unknown): Branch {
    let branch = this.next.get(label);
    if (!branch) {
      branch = new Branch();
      this.next.set(label, branch);
    }
    return branch;
  }
}

class Total implements Cell {
  value = 0;

  add(value: number): void {
    this.value += value;
  }
}

class Counts extends Distribution implements Cell {
  get value(): Distribution {
    return this;
  }
}
