import { InMemoryMetricExporter, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { afterEach, expect, test, vi } from "vitest";
import { startTelemetry, type StartTelemetryOptions } from "colyseus-otel/sdk";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  vi.doUnmock("@opentelemetry/host-metrics");
});

/** Names of what is measured, each without what stands behind its second dot. */
async function measured(options: StartTelemetryOptions): Promise<string[]> {
  vi.stubEnv("OTEL_TRACES_EXPORTER", "none");
  const exporter = new InMemoryMetricExporter(0);
  const metricReaders = [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 600_000 })];
  await using telemetry = startTelemetry({ load: "now", metricReaders, ...options });
  await telemetry.flush(600_000);
  const names = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) => metrics.map(({ descriptor }) => descriptor.name)),
    );
  return [...new Set(names.map((name) => name.split(".").slice(0, 2).join(".")))].toSorted();
}

test("machine and runtime are measured by OpenTelemetry's own packages when they are asked for, and else not", async () => {
  expect(await measured({})).not.toContain("process.cpu");
  expect(await measured({ host: true })).toEqual(
    expect.arrayContaining(["process.cpu", "process.memory", "system.cpu", "system.memory"]),
  );
  expect(await measured({ runtime: true })).toEqual(expect.arrayContaining(["nodejs.eventloop", "v8js.memory"]));
});

test("a package that is not installed costs one warning that names it, and no other metric", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.doMock("@opentelemetry/host-metrics", () => {
    throw new Error("not installed");
  });
  expect(await measured({ host: true, runtime: true })).toContain("nodejs.eventloop");
  expect(warned.mock.calls).toHaveLength(1);
  expect(warned.mock.calls.join()).toContain("npm install @opentelemetry/host-metrics");
});
