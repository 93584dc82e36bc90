import type { Attributes, Counter, Histogram, Meter, ObservableCallback } from "@opentelemetry/api";
import type { MetricConvention } from "../conventions.ts";
import type { Undo } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";

/** What a scrape reads: each series' labels and its value now. */
export type Reading = () => Iterable<readonly [Attributes, number]>;

/** Makes each instrument at its first use, from its convention. */
export function createInstruments(meter: Meter): (metric: MetricConvention, value: number, labels: Attributes) => void {
  const histograms = new Map<MetricConvention, Histogram>();
  const counters = new Map<MetricConvention, Counter>();
  return (metric, value, labels) => {
    if (metric.kind === "histogram") {
      made(histograms, metric, () => meter.createHistogram(metric.name, optionsOf(metric))).record(value, labels);
    } else {
      made(counters, metric, () => meter.createCounter(metric.name, optionsOf(metric))).add(value, labels);
    }
  };
}

/** Observable up-down counters over exact state of our own: unlike counted deltas they cannot drift. */
export function observeReadings(meter: Meter, readings: ReadonlyMap<MetricConvention, Reading>): Undo[] {
  return [...readings].map(([metric, read]) => {
    const instrument = meter.createObservableUpDownCounter(metric.name, optionsOf(metric));
    const callback: ObservableCallback = (result) => {
      guard(metric.name, () => {
        for (const [labels, value] of read()) {
          result.observe(value, labels);
        }
      });
    };
    instrument.addCallback(callback);
    return () => instrument.removeCallback(callback);
  });
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

function optionsOf({ doc, unit, buckets }: MetricConvention): {
  description: string;
  unit: string;
  advice?: { explicitBucketBoundaries: number[] };
} {
  const base = { description: doc, unit };
  // Without advice the SDK's default buckets are made for milliseconds: 0, 5, 10, ... 10,000.
  return buckets ? { ...base, advice: { explicitBucketBoundaries: [...buckets] } } : base;
}
