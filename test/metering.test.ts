import {
  AggregationTemporality,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { trace } from "@opentelemetry/api";
import { matchMaker, Room } from "@colyseus/core";
import { startTelemetry } from "colyseus-otel/sdk";
import { afterEach, expect, test, vi } from "vitest";
import { METRICS, SUMMARIES } from "../src/conventions.ts";
import { announcedTelemetry } from "../src/telling/announcement.ts";
import { startReceiver } from "../demo/receiver/receiver.ts";
import { GLOBAL_PROVIDERS, startServer, until } from "./_server.ts";

afterEach(() => vi.unstubAllEnvs());

class Arena extends Room {
  override patchRate = 5;
  override onCreate() {
    this.setTimestep(() => {}, 5);
  }
}

test("with startTelemetry() every reader gets all series, ticks and patches as histograms, and nothing from before the load is lost", async () => {
  vi.stubEnv("OTEL_TRACES_EXPORTER", "none");
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  await using _sdk = startTelemetry({ metricReaders: [reader] });
  await using game = await startServer({ arena: Arena }, { messages: true }, undefined, GLOBAL_PROVIDERS);
  await (await game.client().joinOrCreate("arena")).leave();
  await announcedTelemetry()!.load(true);
  await until("the disposal", () => matchMaker.stats.local.roomCount === 0);
  const { resourceMetrics } = await reader.collect();
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  const named = (name: string) => metrics.find(({ descriptor }) => descriptor.name === name)?.dataPoints;
  for (const [metric, { p50 }] of SUMMARIES) {
    expect(named(metric.name)).toMatchObject([{ attributes: { room: "arena" }, value: { count: expect.any(Number) } }]);
    expect(named(p50.name)).toBeUndefined();
  }
  const names = [METRICS.bootDuration, METRICS.joins, METRICS.clients, METRICS.roomLifetime, METRICS.messages];
  expect(metrics.map(({ descriptor }) => descriptor.name)).toEqual(
    expect.arrayContaining(names.map(({ name }) => name)),
  );
  expect(resourceMetrics.scopeMetrics.filter(({ scope }) => scope.name === "colyseus-otel")).toHaveLength(1);
});

test("the pipeline tells how many spans wait, were sent, and were lost why", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint);
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  await using _sdk = startTelemetry({ metricReaders: [reader], load: "now" });
  const tracer = trace.getTracer("game");
  const points = async ({ name }: { readonly name: string }) => {
    const { resourceMetrics } = await reader.collect();
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    const found = metrics.find(({ descriptor }) => descriptor.name === name)!;
    return found.dataPoints.map(({ attributes, value }) => [attributes["error.type"], value]);
  };
  await announcedTelemetry()!.load(true);
  tracer.startSpan("one").end();
  tracer.startSpan("two").end();
  expect(await points(METRICS.spansQueued)).toEqual([[undefined, 2]]);
  await announcedTelemetry()!.flush(5000);
  expect(await points(METRICS.spansQueued)).toEqual([[undefined, 0]]);
  expect(await points(METRICS.spansProcessed)).toEqual([
    [undefined, 2],
    ["queue_full", 0],
    ["rejected", 0],
    ["not_encodable", 0],
  ]);
});
