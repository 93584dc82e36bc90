import type { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import type { MetricReader } from "@opentelemetry/sdk-metrics";
import { listFrom, numberFrom } from "./environment.ts";

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
