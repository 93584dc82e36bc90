import { SpanKind, SpanStatusCode, trace, context as activeContext } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import { startReceiver } from "../demo/receiver/receiver.ts";

test("receives a span with its exact ids, times, attributes, links, events, resource and scope", async () => {
  await using receiver = await startReceiver();
  const provider = providerTo(receiver.endpoint);
  const tracer = provider.getTracer("matchmaker", "1.2.3");
  const start: [number, number] = [1_795_224_134, 123_456_789];
  const end: [number, number] = [1_795_224_135, 1_000];

  const linked = tracer.startSpan("linked");
  const parent = tracer.startSpan("parent", { kind: SpanKind.SERVER, startTime: start });
  const child = tracer.startSpan(
    "child",
    {
      kind: SpanKind.CLIENT,
      startTime: start,
      attributes: { text: "dust2", yes: true, no: false, zero: 0, half: 0.5, big: 2 ** 40, list: ["a", "b"] },
      links: [{ context: linked.spanContext(), attributes: { why: "before" } }],
    },
    trace.setSpan(activeContext.active(), parent),
  );
  child.addEvent("shot", { weapon: "awp" }, end);
  child.setStatus({ code: SpanStatusCode.ERROR, message: "no ammo" });
  child.end(end);
  parent.end(end);
  linked.end();
  await provider.shutdown();
  await receiver.waitFor((spans) => spans.length === 3, 2_000, "3 spans");

  const byName = new Map(receiver.spans.map((span) => [span.name, span]));
  expect(byName.get("child")).toEqual({
    ...ids(child),
    parentSpanId: parent.spanContext().spanId,
    name: "child",
    kind: "CLIENT",
    startMs: 1_795_224_134_123.456,
    endMs: 1_795_224_135_000.001,
    attributes: { text: "dust2", yes: true, no: false, zero: 0, half: 0.5, big: 2 ** 40, list: ["a", "b"] },
    status: { code: "ERROR", message: "no ammo" },
    links: [{ ...ids(linked), attributes: { why: "before" } }],
    events: [{ name: "shot", timeMs: 1_795_224_135_000.001, attributes: { weapon: "awp" } }],
    resource: { "service.name": "receiver-test" },
    scope: { name: "matchmaker", version: "1.2.3" },
  });
  expect(byName.get("parent")).toMatchObject({
    parentSpanId: undefined,
    kind: "SERVER",
    status: { code: "UNSET", message: "" },
    links: [],
    events: [],
  });
});

test("receives 5,000 spans, each once", async () => {
  await using receiver = await startReceiver();
  const provider = providerTo(receiver.endpoint);
  const tracer = provider.getTracer("burst");
  for (let index = 0; index < 5_000; index++) tracer.startSpan(`span ${index}`).end();
  await provider.forceFlush();
  await receiver.waitFor((spans) => spans.length >= 5_000, 5_000, "5,000 spans");

  expect(receiver.spans).toHaveLength(5_000);
  expect(new Set(receiver.spans.map((span) => span.spanId)).size).toBe(5_000);
  expect(new Set(receiver.spans.map((span) => span.name)).size).toBe(5_000);
  await provider.shutdown();
});

test("holds the newest spans when told how many", async () => {
  await using receiver = await startReceiver({ keep: 10 });
  const provider = providerTo(receiver.endpoint);
  for (let index = 0; index < 25; index++) provider.getTracer("burst").startSpan(`span ${index}`).end();
  await provider.shutdown();

  expect(receiver.spans.map((span) => span.name)).toEqual([...Array(10).keys()].map((index) => `span ${index + 15}`));
});

test("receives metrics by name, unit, kind and count of points", async () => {
  await using receiver = await startReceiver();
  const exporter = new OTLPMetricExporter({ url: receiver.endpoint });
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const meter = provider.getMeter("game");
  for (const room of ["arena", "lobby"]) {
    meter.createCounter("joins", { unit: "{player}" }).add(1, { room });
    meter.createHistogram("join.duration", { unit: "s" }).record(0.1, { room });
  }
  await provider.shutdown();

  expect(receiver.metrics).toMatchObject([
    { name: "joins", unit: "{player}", kind: "sum", points: 2 },
    { name: "join.duration", unit: "s", kind: "histogram", points: 2 },
  ]);
});

test("says what a failed wait was for and what came instead", async () => {
  await using receiver = await startReceiver();
  const provider = providerTo(receiver.endpoint);
  provider.getTracer("t").startSpan("something else").end();
  await provider.shutdown();

  await expect(receiver.waitFor(() => false, 20, "the boot")).rejects.toThrow(
    "gave up after 20 ms, while waiting for the boot; seen: 1 spans (something else)",
  );
});

test("says which port it could not have", async () => {
  await using receiver = await startReceiver();
  const port = Number(new URL(receiver.endpoint).port);
  await expect(startReceiver({ port })).rejects.toThrow(`cannot listen on ${port}`);
});

function providerTo(endpoint: string): TracerProvider {
  const exporter = new OTLPTraceExporter({ url: endpoint });
  return new TracerProvider({
    resource: resourceFromAttributes({ "service.name": "receiver-test" }),
    spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize: 10_000 })],
  });
}

function ids(span: { spanContext(): { traceId: string; spanId: string } }) {
  const { traceId, spanId } = span.spanContext();
  return { traceId, spanId };
}
