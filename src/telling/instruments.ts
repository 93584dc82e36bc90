import type { Attributes, Counter, Histogram, Meter, MetricOptions, ObservableGauge } from "@opentelemetry/api";
import { SUMMARIES, type MetricConvention, type Summary } from "../conventions.ts";
import { undoAll, type Undo } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import type { Distribution } from "./distribution.ts";
import type { Label, Record } from "./measures.ts";
import { createQuantileReader } from "./quantiles.ts";

/** What a scrape reads: each series' labels and its value now; of a histogram, its distribution. */
export type Reading = () => Iterable<readonly [Attributes, number | Distribution]>;

/** Where metrics go: the ledger of our own SDK, or the instruments of the program's. */
export interface Metering {
  readonly record: Record;
  /** Has these read at every collection, until the undo. */
  observe(readings: ReadonlyMap<MetricConvention, Reading>): Undo;
}

/** Makes each instrument at its first use, from its convention. */
export function createInstruments(meter: Meter): Metering {
  const histograms = new Map<MetricConvention, Histogram>();
  const counters = new Map<MetricConvention, Counter>();
  return {
    record(metric, value, ...values) {
      const labels = labelsOf(metric, values);
      if (metric.kind === "histogram") {
        made(histograms, metric, () => meter.createHistogram(metric.name, optionsOf(metric))).record(value, labels);
      } else {
        made(counters, metric, () => meter.createCounter(metric.name, optionsOf(metric))).add(value, labels);
      }
    },
    observe(readings) {
      const undos = [...readings].map(([metric, read]) => {
        const summary = SUMMARIES.get(metric);
        return summary ? observeSummary(meter, summary, read) : observeNumbers(meter, metric, read);
      });
      return () => undoAll(undos);
    },
  };
}

/** Values in the order of the metric's labels, as attributes. */
export function labelsOf(metric: MetricConvention, values: readonly Label[]): Attributes {
  const labels: Attributes = {};
  for (const [at, label] of metric.labels.entries()) {
    const value = values[at];
    if (value !== undefined) {
      labels[label] = value;
    }
  }
  return labels;
}

/** Observable instruments over exact state of our own: unlike counted deltas they cannot drift. */
function observeNumbers(meter: Meter, metric: MetricConvention, read: Reading): Undo {
  const options = optionsOf(metric);
  const instrument =
    metric.kind === "counter"
      ? meter.createObservableCounter(metric.name, options)
      : meter.createObservableUpDownCounter(metric.name, options);
  const callback: Parameters<typeof instrument.addCallback>[0] = (result) => {
    guard(metric.name, () => {
      for (const [labels, value] of read()) {
        if (typeof value === "number") {
          result.observe(value, labels);
        }
      }
    });
  };
  instrument.addCallback(callback);
  return () => instrument.removeCallback(callback);
}

/** The API has no observable histogram, and a record per tick costs 0.9 us: three gauges tell what most ask for. */
function observeSummary(meter: Meter, { p50, p99, max }: Summary, read: Reading): Undo {
  const gauge = (metric: MetricConvention): ObservableGauge =>
    meter.createObservableGauge(metric.name, optionsOf(metric));
  const gauges = { p50: gauge(p50), p99: gauge(p99), max: gauge(max) };
  const quantilesOf = createQuantileReader();
  // One callback for all three: they are of the same stretch.
  const callback: Parameters<Meter["addBatchObservableCallback"]>[0] = (result) => {
    guard(p50.name, () => {
      for (const [labels, value] of read()) {
        const quantiles = typeof value === "number" ? undefined : quantilesOf(value);
        if (quantiles) {
          result.observe(gauges.p50, quantiles.p50, labels);
          result.observe(gauges.p99, quantiles.p99, labels);
          result.observe(gauges.max, quantiles.max, labels);
        }
      }
    });
  };
  meter.addBatchObservableCallback(callback, Object.values(gauges));
  return () => meter.removeBatchObservableCallback(callback, Object.values(gauges));
}

function made<T>(instruments: Map<MetricConvention, T>, metric: MetricConvention, create: () => T): T {
  const existing = instruments.get(metric);
  if (existing) {
    return existing;
  }
  const instrument = create();
  instruments.set(metric, instrument);
  return instrument;
}

function optionsOf({ doc, unit, buckets }: MetricConvention): MetricOptions {
  const base = { description: doc, unit };
  // Without advice the SDK's default buckets are made for milliseconds: 0, 5, 10, ... 10,000.
  return buckets ? { ...base, advice: { explicitBucketBoundaries: [...buckets] } } : base;
}
