import type { AnyValue, KeyValue, MetricsRequest, TraceRequest, WireSpan } from "./wire.ts";

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  /** Epoch milliseconds, exact to the microsecond (a double can hold no more). */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly status: { readonly code: StatusCode; readonly message: string };
  readonly links: readonly ReceivedLink[];
  readonly events: readonly ReceivedEvent[];
  readonly resource: Attributes;
  readonly scope: { readonly name: string; readonly version: string };
}

export interface ReceivedLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
}

export interface ReceivedEvent {
  readonly name: string;
  readonly timeMs: number;
  readonly attributes: Attributes;
}

export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly kind: string;
  readonly points: number;
  readonly resource: Attributes;
}

/** Integers past 2^53 and bytes arrive as strings (decimal, base64), as in OTLP's own JSON form. */
export type Attributes = Readonly<Record<string, unknown>>;

export type SpanKind = (typeof kinds)[number];
export type StatusCode = (typeof statusCodes)[number];

const kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"] as const;
const statusCodes = ["UNSET", "OK", "ERROR"] as const;

export function spansOf(request: TraceRequest): ReceivedSpan[] {
  const spans: ReceivedSpan[] = [];
  for (const { resource, scopeSpans } of request.resourceSpans) {
    const resourceAttributes = attributesOf(resource?.attributes);
    for (const { scope, spans: batch } of scopeSpans)
      for (const span of batch)
        spans.push({
          ...spanOf(span),
          resource: resourceAttributes,
          scope: { name: scope?.name ?? "", version: scope?.version ?? "" },
        });
  }
  return spans;
}

export function metricsOf(request: MetricsRequest): ReceivedMetric[] {
  const metrics: ReceivedMetric[] = [];
  for (const { resource, scopeMetrics } of request.resourceMetrics) {
    const resourceAttributes = attributesOf(resource?.attributes);
    for (const { name, unit, data, ...points } of scopeMetrics.flatMap((scope) => scope.metrics))
      metrics.push({
        name: name ?? "",
        unit: unit ?? "",
        kind: data ?? "",
        points: data === undefined ? 0 : (points[data]?.dataPoints.length ?? 0),
        resource: resourceAttributes,
      });
  }
  return metrics;
}

function spanOf(span: WireSpan): Omit<ReceivedSpan, "resource" | "scope"> {
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId) || undefined,
    name: span.name ?? "",
    kind: kinds[span.kind ?? 0] ?? "UNSPECIFIED",
    startMs: epochMs(span.startTimeUnixNano),
    endMs: epochMs(span.endTimeUnixNano),
    attributes: attributesOf(span.attributes),
    status: {
      code: statusCodes[span.status?.code ?? 0] ?? "UNSET",
      message: span.status?.message ?? "",
    },
    links: span.links.map((link) => ({
      traceId: hex(link.traceId),
      spanId: hex(link.spanId),
      attributes: attributesOf(link.attributes),
    })),
    events: span.events.map((event) => ({
      name: event.name ?? "",
      timeMs: epochMs(event.timeUnixNano),
      attributes: attributesOf(event.attributes),
    })),
  };
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes ? Buffer.from(bytes).toString("hex") : "";
}

// Nanoseconds since 1970 do not fit a double: through BigInt, or the last 256 ns and their rounding are lost.
function epochMs(nanos: string | undefined): number {
  return Number(BigInt(nanos ?? 0) / 1_000n) / 1_000;
}

function attributesOf(pairs: readonly KeyValue[] = []): Attributes {
  return Object.fromEntries(pairs.map(({ key, value }) => [key ?? "", valueOf(value)]));
}

function valueOf(any: AnyValue | undefined): unknown {
  switch (any?.value) {
    case "intValue": {
      const number = Number(any.intValue);
      return Number.isSafeInteger(number) ? number : any.intValue;
    }
    case "arrayValue":
      return any.arrayValue?.values.map(valueOf);
    case "kvlistValue":
      return attributesOf(any.kvlistValue?.values);
    case "bytesValue":
      return Buffer.from(any.bytesValue ?? []).toString("base64");
    case undefined:
      return undefined;
    default:
      return any?.[any.value];
  }
}
