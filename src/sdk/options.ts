import type { Attributes } from "@opentelemetry/api";
import type { MetricReader } from "@opentelemetry/sdk-metrics";
import type { Sampler, SpanProcessor } from "@opentelemetry/sdk-trace";
import { checkBoolean, checkCount, checkKeys, checkOneOf, checkShape } from "../internal/check.ts";

/** What `startTelemetry()` takes. All optional; everything else is set by the standard `OTEL_*` variables. */
export interface StartTelemetryOptions {
  /**
   * `"ready"` loads the SDK packages once `instrument()` says that the server is Ready or its boot failed (30 s after the
   * start at the latest), so that they cost the boot nothing. `"now"` is for programs that are no game server.
   *
   * @default "ready"
   */
  readonly load?: "ready" | "now";
  /**
   * Asked once for each span, also before the SDK is loaded.
   *
   * @default what OTEL_TRACES_SAMPLER says, else parentbased_always_on
   */
  readonly sampler?: Sampler;
  /**
   * Bytes of encoded spans that may wait for a collector that is away: 32 MiB hold 75 s of 200 joins a second. Over it
   * the oldest are dropped, and counted.
   *
   * @default 33_554_432
   */
  readonly queueBytes?: number;
  /** Attributes of the resource, over our defaults and under OTEL_RESOURCE_ATTRIBUTES. */
  readonly resource?: Attributes;
  /**
   * Instead of our queue, which sends over OTLP/gRPC each second. With processors of your own every span is a live one of
   * the SDK, which costs a join twice as much.
   */
  readonly spanProcessors?: readonly SpanProcessor[];
  /** Beside the one for Prometheus. */
  readonly metricReaders?: readonly MetricReader[];
  /**
   * Whether `/metrics` on the admin port of `instrument()` is answered.
   *
   * @default true
   */
  readonly prometheus?: boolean;
  /**
   * CPU, memory and network of the machine, by `@opentelemetry/host-metrics`.
   *
   * @default false: in a cluster somebody else measures that
   */
  readonly host?: boolean;
  /**
   * Event loop, heap and garbage collection of Node, by `@opentelemetry/instrumentation-runtime-node`.
   *
   * @default false
   */
  readonly runtime?: boolean;
}

export interface ResolvedTelemetryOptions {
  readonly load: "ready" | "now";
  readonly sampler: Sampler | undefined;
  readonly queueBytes: number;
  readonly resource: Attributes;
  readonly spanProcessors: readonly SpanProcessor[] | undefined;
  readonly metricReaders: readonly MetricReader[];
  readonly prometheus: boolean;
  readonly host: boolean;
  readonly runtime: boolean;
}

const QUEUE_BYTES = 32 * 1024 * 1024;

const KNOWN = [
  "load",
  "sampler",
  "queueBytes",
  "resource",
  "spanProcessors",
  "metricReaders",
  "prometheus",
  "host",
  "runtime",
] as const satisfies (keyof StartTelemetryOptions)[];

/** Throws TypeError for an unknown option, or a value of the wrong kind. */
export function resolveTelemetryOptions(options: StartTelemetryOptions): ResolvedTelemetryOptions {
  checkKeys("startTelemetry", options, KNOWN);
  const { load = "ready", sampler, queueBytes = QUEUE_BYTES, resource = {}, prometheus = true } = options;
  const { spanProcessors, metricReaders = [], host = false, runtime = false } = options;
  for (const [index, processor] of spanProcessors?.entries() ?? []) {
    checkShape<SpanProcessor>(`spanProcessors[${index}]`, processor, ["onStart", "onEnd", "shutdown", "forceFlush"]);
  }
  for (const [index, reader] of metricReaders.entries()) {
    checkShape<MetricReader>(`metricReaders[${index}]`, reader, ["collect", "shutdown", "forceFlush"]);
  }
  return Object.freeze({
    load: checkOneOf("load", load, ["ready", "now"]),
    sampler: sampler && checkShape<Sampler>("sampler", sampler, ["shouldSample"]),
    queueBytes: checkCount("queueBytes", queueBytes),
    resource,
    spanProcessors,
    metricReaders,
    prometheus: checkBoolean("prometheus", prometheus),
    host: checkBoolean("host", host),
    runtime: checkBoolean("runtime", runtime),
  });
}
