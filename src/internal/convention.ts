import type { SpanKind } from "@opentelemetry/api";

export interface SpanConvention {
  /** Low-cardinality name. Spans of a room have the room's type behind it: `room.join arena`. */
  readonly name: string;
  readonly kind: SpanKind;
  readonly doc: string;
}

export interface MetricConvention {
  readonly name: string;
  readonly kind: "histogram" | "counter" | "observable up-down counter" | "observable gauge";
  readonly unit: string;
  readonly labels: readonly string[];
  readonly doc: string;
  readonly buckets?: readonly number[];
}

/** What stands for a histogram of our own series where the program has an SDK of its own. */
export interface Summary {
  readonly p50: MetricConvention;
  readonly p99: MetricConvention;
  readonly max: MetricConvention;
}

export interface AttributeConvention {
  readonly key: string;
  readonly doc: string;
}

export interface EventConvention {
  readonly name: string;
  readonly doc: string;
}

export function span(name: string, kind: SpanKind, doc: string): SpanConvention {
  return { name, kind, doc };
}

export function attribute(key: string, doc: string): AttributeConvention {
  return { key, doc };
}

export function event(name: string, doc: string): EventConvention {
  return { name, doc };
}

export function histogram(
  name: string,
  buckets: readonly number[],
  labels: readonly string[],
  doc: string,
  unit = "s",
): MetricConvention {
  return { name, kind: "histogram", unit, buckets, labels, doc };
}

export function counter(name: string, unit: string, labels: readonly string[], doc: string): MetricConvention {
  return { name, kind: "counter", unit, labels, doc };
}

export function observable(name: string, unit: string, labels: readonly string[], doc: string): MetricConvention {
  return { name, kind: "observable up-down counter", unit, labels, doc };
}

export function gauge(name: string, unit: string, labels: readonly string[], doc: string): MetricConvention {
  return { name, kind: "observable gauge", unit, labels, doc };
}
