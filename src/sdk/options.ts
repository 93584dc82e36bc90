import type { Attributes } from "@opentelemetry/api";
import type { MetricReader } from "@opentelemetry/sdk-metrics";
import type { Sampler, SpanProcessor } from "@opentelemetry/sdk-trace";
import { checkKeys, checkOneOf, checkShape } from "../internal/check.ts";

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
  /** Attributes of the resource, over our defaults and under OTEL_RESOURCE_ATTRIBUTES. */
  readonly resource?: Attributes;
  /**
   * Instead of ours, which sends over OTLP/gRPC.
   *
   * @default one BatchSpanProcessor that holds 16,384 spans and sends each second
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
}

export interface ResolvedTelemetryOptions {
  readonly load: "ready" | "now";
  readonly sampler: Sampler | undefined;
  readonly resource: Attributes;
  readonly spanProcessors: readonly SpanProcessor[] | undefined;
  readonly metricReaders: readonly MetricReader[];
  readonly prometheus: boolean;
}

const KNOWN = [
  "load",
  "sampler",
  "resource",
  "spanProcessors",
  "metricReaders",
  "prometheus",
] as const satisfies (keyof StartTelemetryOptions)[];

/** Throws TypeError for an unknown option, or a value of the wrong kind. */
export function resolveTelemetryOptions(options: StartTelemetryOptions): ResolvedTelemetryOptions {
  checkKeys("startTelemetry", options, KNOWN);
  const { load = "ready", sampler, resource = {}, spanProcessors, metricReaders = [], prometheus = true } = options;
  for (const [index, processor] of spanProcessors?.entries() ?? []) {
    checkShape<SpanProcessor>(`spanProcessors[${index}]`, processor, ["onStart", "onEnd", "shutdown", "forceFlush"]);
  }
  for (const [index, reader] of metricReaders.entries()) {
    checkShape<MetricReader>(`metricReaders[${index}]`, reader, ["collect", "shutdown", "forceFlush"]);
  }
  if (typeof prometheus !== "boolean") {
    throw new TypeError(`prometheus must be true or false, got ${String(prometheus)}`);
  }
  return Object.freeze({
    load: checkOneOf("load", load, ["ready", "now"]),
    sampler: sampler && checkShape<Sampler>("sampler", sampler, ["shouldSample"]),
    resource,
    spanProcessors,
    metricReaders,
    prometheus,
  });
}
