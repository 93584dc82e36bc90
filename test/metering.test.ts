import {
  AggregationTemporality,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { trace } from "@opentelemetry/api";
import { matchMaker, Room } from "@colyseus/core";
import { startTelemetry } from "colyseus-otel/sdk";
import { afterEach, expect, test, vi } from "vitest";
import { startReceiver } from "../demo/receiver/receiver.ts";
import { GLOBAL_PROVIDERS, startServer, until } from "./_server.ts";

afterEach(() => vi.unstubAllEnvs());

class Arena extends Room {
  override patchRate = 5;
  override onCreate() {
    this.setSimulationInterval(() => {}, 5);
  }
}

test("with startTelemetry() every reader gets all series, ticks and patches as histograms, and nothing from before the load is lost", async () => {
  vi.stubEnv("OTEL_TRACES_EXPORTER", "none");
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  await using sdk = startTelemetry({ metricReaders: [reader] });
  await using game = await startServer({ arena: Arena }, { messages: true }, undefined, GLOBAL_PROVIDERS);
  await (await game.client().joinOrCreate("arena")).leave();
  await sdk.flush();
  await until("the disposal", () => matchMaker.stats.local.roomCount === 0);
  const { resourceMetrics } = await reader.collect();
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  const named = (name: string) => metrics.find(({ descriptor }) => descriptor.name === name)?.dataPoints;
  for (const name of ["colyseus.tick.duration", "colyseus.patch.duration"]) {
    expect(named(name)).toMatchObject([{ attributes: { room: "arena" }, value: { count: expect.any(Number) } }]);
    expect(named(`${name}.p50`)).toBeUndefined();
  }
  const names = ["gameserver.boot.duration", "joins", "clients", "room.lifetime", "messages"];
  expect(metrics.map(({ descriptor }) => descriptor.name.replace(/^colyseus\./, ""))).toEqual(
    expect.arrayContaining(names),
  );
  expect(resourceMetrics.scopeMetrics.filter(({ scope }) => scope.name === "colyseus-otel")).toHaveLength(1);
});

test("the pipeline tells how many spans wait, were sent, and were lost why", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint);
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  await using sdk = startTelemetry({ metricReaders: [reader], load: "now" });
  const tracer = trace.getTracer("game");
  const points = async (name: string) => {
    const { resourceMetrics } = await reader.collect();
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    const found = metrics.find(({ descriptor }) => descriptor.name === name)!;
    return found.dataPoints.map(({ attributes, value }) => [attributes["error.type"], value]);
  };
  await sdk.flush();
  tracer.startSpan("one").end();
  tracer.startSpan("two").end();
  expect(await points("otel.sdk.processor.span.queue.size")).toEqual([[undefined, 2]]);
  await sdk.flush();
  expect(await points("otel.sdk.processor.span.queue.size")).toEqual([[undefined, 0]]);
  expect(await points("otel.sdk.processor.span.processed")).toEqual([
    [undefined, 2],
    ["queue_full", 0],
    ["rejected", 0],
    ["not_encodable", 0],
  ]);
});
