import type { MetricReader } from "@opentelemetry/sdk-metrics";
import type { SpanExporter, SpanProcessor } from "@opentelemetry/sdk-trace";
import type { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { describe, warn } from "../internal/report.ts";
import { listFrom, numberFrom } from "./environment.ts";

/** A room of 100 that closes at once ends a thousand spans in one tick; the SDK's default of 2048 drops from there on. */
const QUEUE_SPANS = 16_384;

/** What a killed process may lose. */
const SEND_EVERY_MS = 1000;

/** Sends over OTLP/gRPC, set by the standard OTEL_EXPORTER_OTLP_* and OTEL_BSP_* variables. */
export async function otlpSpanProcessors(env: NodeJS.ProcessEnv): Promise<SpanProcessor[]> {
  const exporters = listFrom(env, "OTEL_TRACES_EXPORTER", ["otlp", "none"], ["otlp"]);
  if (!exporters.includes("otlp")) {
    return [];
  }
  warnAboutProtocol(env);
  const { BatchSpanProcessor } = await import("@opentelemetry/sdk-trace");
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-grpc");
  const processor = new BatchSpanProcessor({
    exporter: saying(new OTLPTraceExporter(), endpointOf(env)),
    scheduledDelayMillis: numberFrom(env, "OTEL_BSP_SCHEDULE_DELAY", SEND_EVERY_MS),
    maxQueueSize: numberFrom(env, "OTEL_BSP_MAX_QUEUE_SIZE", QUEUE_SPANS),
    maxExportBatchSize: numberFrom(env, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512),
    exportTimeoutMillis: numberFrom(env, "OTEL_BSP_EXPORT_TIMEOUT", 30_000),
  });
  return [processor];
}

/** Readers for what OTEL_METRICS_EXPORTER asks for: `prometheus` (the default), `otlp`, `none`. */
export async function metricReaders(
  env: NodeJS.ProcessEnv,
  prometheus: boolean,
): Promise<{ readonly readers: MetricReader[]; readonly scraped: PrometheusExporter | undefined }> {
  const asked = listFrom(env, "OTEL_METRICS_EXPORTER", ["prometheus", "otlp", "none"], ["prometheus"]);
  const readers: MetricReader[] = [];
  let scraped: PrometheusExporter | undefined;
  if (prometheus && asked.includes("prometheus")) {
    const { PrometheusExporter } = await import("@opentelemetry/exporter-prometheus");
    // Without scope labels: the version among them would start every series anew at each upgrade.
    scraped = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true });
    readers.push(scraped);
  }
  if (asked.includes("otlp")) {
    const { PeriodicExportingMetricReader } = await import("@opentelemetry/sdk-metrics");
    const { OTLPMetricExporter } = await import("@opentelemetry/exporter-metrics-otlp-grpc");
    const exportIntervalMillis = numberFrom(env, "OTEL_METRIC_EXPORT_INTERVAL", 60_000);
    const exportTimeoutMillis = Math.min(exportIntervalMillis, numberFrom(env, "OTEL_METRIC_EXPORT_TIMEOUT", 30_000));
    readers.push(
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter(),
        exportIntervalMillis,
        exportTimeoutMillis,
      }),
    );
  }
  return { readers, scraped };
}

/** The SDK reports failed exports to `diag`, where without a diag logger nobody reads them. */
function saying(exporter: SpanExporter, endpoint: string): SpanExporter {
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.code !== 0) {
          warn(
            "otlp",
            `${spans.length} spans could not be sent to ${endpoint} (OTEL_EXPORTER_OTLP_ENDPOINT) and are lost: ${describe(result.error)}`,
          );
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

function endpointOf(env: NodeJS.ProcessEnv): string {
  return env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] || env["OTEL_EXPORTER_OTLP_ENDPOINT"] || "http://localhost:4317";
}

function warnAboutProtocol(env: NodeJS.ProcessEnv): void {
  const protocol = env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] || env["OTEL_EXPORTER_OTLP_PROTOCOL"] || "grpc";
  if (protocol !== "grpc") {
    warn(
      "otlp protocol",
      `OTEL_EXPORTER_OTLP_PROTOCOL="${protocol}" is not spoken here, OTLP goes over gRPC (port 4317 as a rule); for another one hand in spanProcessors`,
    );
  }
}
