import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
  type Sampler,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace";

/** A real SDK that keeps what it is told in memory, handed in as a user's own. */
export interface RecordingTelemetry {
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  spans(): ReadableSpan[];
  named(name: string): ReadableSpan[];
  one(name: string): ReadableSpan;
  /** Every data point of a metric now, as `{label=value}` -> value (histograms: count and sum). */
  points(metric: string): Promise<Record<string, unknown>>;
  metricNames(): Promise<string[]>;
  /** All of them by metric and labels, as `colyseus.rooms room=arena`; of histograms the count. */
  everyPoint(): Promise<Map<string, number>>;
  reset(): void;
}

export function recordTelemetry(sampler?: Sampler, ...processors: SpanProcessor[]): RecordingTelemetry {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter }), ...processors],
    ...(sampler && { sampler }),
  });
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const collect = async () => {
    const { resourceMetrics } = await reader.collect();
    return resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  };
  const spans = () => exporter.getFinishedSpans();
  const named = (name: string) => spans().filter((span) => span.name === name);
  return {
    tracerProvider,
    meterProvider,
    spans,
    named,
    one(name) {
      const [span, ...more] = named(name);
      if (!span || more.length > 0) {
        throw new Error(
          `expected one span "${name}", got ${1 + more.length - (span ? 0 : 1)} among ${spans()
            .map((one) => one.name)
            .join(", ")}`,
        );
      }
      return span;
    },
    async points(metric) {
      const found = (await collect()).find(({ descriptor }) => descriptor.name === metric);
      return Object.fromEntries(
        (found?.dataPoints ?? []).map(({ attributes, value }) => [labels(attributes), plain(value)]),
      );
    },
    async metricNames() {
      return (await collect()).map(({ descriptor }) => descriptor.name).toSorted();
    },
    async everyPoint() {
      return new Map(
        (await collect()).flatMap(({ descriptor, dataPoints }) =>
          dataPoints.map(
            ({ attributes, value }) =>
              [
                `${descriptor.name} ${labels(attributes)}`.trim(),
                typeof value === "object" ? value.count : value,
              ] as const,
          ),
        ),
      );
    },
    reset: () => exporter.reset(),
  };
}

function labels(attributes: Record<string, unknown>): string {
  return Object.entries(attributes)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([key, value]) => `${key}=${value}`)
    .join(" ");
}

function plain(value: unknown): unknown {
  return typeof value === "object" && value !== null && "count" in value
    ? { count: value.count, sum: "sum" in value ? value.sum : undefined }
    : value;
}

/**
 * Spans as a tree without ids and times: children under their parents in order of start, parents that are not among the
 * spans as `<outside>`, links by the linked span's name.
 */
export function spanTree(spans: readonly ReadableSpan[]): string {
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
  const children = Map.groupBy(spans.toSorted(byStart), ({ parentSpanContext }) => {
    const parent = parentSpanContext?.spanId;
    return parent === undefined ? "root" : byId.has(parent) ? parent : "outside";
  });
  const lines: string[] = [];
  const draw = (span: ReadableSpan, depth: number) => {
    const links = span.links.map(({ context: { spanId } }) => byId.get(spanId)?.name ?? "<outside>");
    const marks = [
      ...(span.status.code === 2 ? ["ERROR"] : []),
      ...(span.attributes["error.type"] ? [`error.type=${span.attributes["error.type"]}`] : []),
      ...links.map((name) => `~> ${name}`),
    ];
    lines.push([`${"  ".repeat(depth)}${span.name}`, ...marks].join("  "));
    for (const child of children.get(span.spanContext().spanId) ?? []) {
      draw(child, depth + 1);
    }
  };
  for (const root of children.get("root") ?? []) {
    draw(root, 0);
  }
  const outside = children.get("outside") ?? [];
  if (outside.length > 0) {
    lines.push("<outside>");
    outside.forEach((span) => draw(span, 1));
  }
  return lines.join("\n");
}

function byStart(a: ReadableSpan, b: ReadableSpan): number {
  return a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1];
}

export function startOf({ startTime }: ReadableSpan): number {
  return startTime[0] * 1000 + startTime[1] / 1e6;
}

export function durationOf({ duration }: ReadableSpan): number {
  return duration[0] * 1000 + duration[1] / 1e6;
}

export function endOf({ endTime }: ReadableSpan): number {
  return endTime[0] * 1000 + endTime[1] / 1e6;
}
