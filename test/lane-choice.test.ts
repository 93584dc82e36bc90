import { trace, type Span } from "@opentelemetry/api";
import { Room } from "@colyseus/core";
import { InMemoryMetricExporter, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { afterEach, expect, test, vi } from "vitest";
import { startTelemetry, type StartedTelemetry } from "colyseus-otel/sdk";
import { METRICS } from "../src/conventions.ts";
import { installation } from "../src/internal/installation.ts";
import { announcedTelemetry } from "../src/telling/announcement.ts";
import type { Ledger } from "../src/telling/ledger.ts";
import { startReceiver } from "../demo/receiver/receiver.ts";
import { GLOBAL_PROVIDERS, startServer, until } from "./_server.ts";
import { recordTelemetry } from "./_telemetry.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  vi.doUnmock("@opentelemetry/exporter-prometheus");
});

/** Whether the hooks' spans are live ones of an SDK, and what the receiver got. */
async function laneOf(tracerProvider?: ReturnType<typeof recordTelemetry>["tracerProvider"]) {
  const spans: Span[] = [];
  const Arena = class extends Room {
    override onJoin() {
      spans.push(trace.getActiveSpan()!);
    }
  };
  await using game = await startServer({ arena: Arena }, {}, undefined, tracerProvider ? { tracerProvider } : {});
  await announcedTelemetry()!.load(true);
  await game.client().joinOrCreate("arena");
  return "instrumentationScope" in spans[0]! ? "standard" : "fast";
}

test("with startTelemetry() as it comes steps are records; in the lane of the program's own providers they are live spans", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint);
  await using _sdk = startTelemetry();
  expect(await laneOf()).toBe("fast");
  await announcedTelemetry()!.flush(5000);
  const before = receiver.spans.length;
  expect(before).toBeGreaterThan(0);
  const recorded = recordTelemetry();
  expect(await laneOf(recorded.tracerProvider)).toBe("standard");
  expect(recorded.named("room.on_join arena")).toHaveLength(1);
  await announcedTelemetry()!.flush(5000);
  expect(receiver.spans).toHaveLength(before);
});

test("span processors of the program's own see each step as a live span, from its start on", async () => {
  const exporter = new InMemorySpanExporter();
  const processor = new SimpleSpanProcessor({ exporter });
  const started: string[] = [];
  const onStart: SimpleSpanProcessor["onStart"] = ({ name }) => void started.push(name);
  await using _sdk = startTelemetry({
    spanProcessors: [Object.assign(Object.create(processor) as SimpleSpanProcessor, { onStart })],
  });
  expect(await laneOf()).toBe("standard");
  expect(started).toContain("room.on_join arena");
  expect(exporter.getFinishedSpans().map(({ name }) => name)).toContain("room.on_join arena");
});

test("with OTEL_TRACES_EXPORTER=none steps are live spans that nobody sends", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint);
  vi.stubEnv("OTEL_TRACES_EXPORTER", "none");
  await using _sdk = startTelemetry();
  expect(await laneOf()).toBe("standard");
  await announcedTelemetry()!.flush(5000);
  expect(receiver.spans).toEqual([]);
});

/** What `./register` does before the program's first line. */
function preload() {
  installation.preloading = true;
  try {
    return startTelemetry();
  } finally {
    installation.preloading = false;
  }
}

test("the program's own startTelemetry() takes over what the preload has started, also its lane and its sampler", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const exporter = new InMemorySpanExporter();
  await using _preloaded = preload();
  await using sdk = startTelemetry({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    sampler: { shouldSample: (_context, _id, name) => ({ decision: name === "dropped" ? 0 : 2 }) },
  });
  expect(warned.mock.calls).toEqual([]);
  // Only the first call does.
  await startTelemetry({ prometheus: false }).shutdown();
  expect(warned.mock.calls.join()).toContain("startTelemetry() was called already");
  trace.getTracer("game").startSpan("dropped").end();
  expect(await laneOf()).toBe("standard");
  const names = exporter.getFinishedSpans().map(({ name }) => name);
  expect(names).toContain("room.on_join arena");
  expect(names).not.toContain("dropped");
  await sdk.flush();
  expect(announcedTelemetry()!.scrape).toBeTypeOf("function");
});

test("a call of the program's own that comes after instrument() changes nothing", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const exporter = new InMemorySpanExporter();
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint);
  await using _preloaded = preload();
  await using game = await startServer({ arena: Room }, {}, undefined, GLOBAL_PROVIDERS);
  const late = startTelemetry({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  await game.client().joinOrCreate("arena");
  await late.flush();
  await late.shutdown();
  await announcedTelemetry()!.flush(5000);
  expect(receiver.spans.map(({ name }) => name)).toContain("room.join arena");
  expect(exporter.getFinishedSpans()).toEqual([]);
});

test("shutdown() sends what waits, and a second startTelemetry() after it works like the first", async () => {
  const earlier: StartedTelemetry[] = [];
  for (const life of ["first", "second"]) {
    await using receiver = await startReceiver();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint);
    const telemetry = startTelemetry();
    await using game = await startServer({ arena: Room }, {}, undefined, GLOBAL_PROVIDERS);
    // What is over is over: a second shutdown() of the first takes nothing from the second.
    await Promise.all(earlier.map((one) => one.shutdown()));
    await game.client().joinOrCreate("arena");
    trace.getTracer("game").startSpan(life).end();
    await telemetry.shutdown();
    const names = receiver.spans.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["gameserver.boot", "room.join arena", life]));
    expect(announcedTelemetry()).toBeUndefined();
    expect(trace.getTracer("game").startSpan("late").isRecording()).toBe(false);
    earlier.push(telemetry);
  }
});

test("shutdown() shuts down the processors and readers of the program's own", async () => {
  const processor = new SimpleSpanProcessor({ exporter: new InMemorySpanExporter() });
  const reader = new PeriodicExportingMetricReader({ exporter: new InMemoryMetricExporter(1) });
  const downs = [vi.spyOn(processor, "shutdown"), vi.spyOn(reader, "shutdown")];
  const telemetry = startTelemetry({ spanProcessors: [processor], metricReaders: [reader] });
  await telemetry.flush();
  downs.forEach((down) => expect(down).not.toHaveBeenCalled());
  await telemetry.shutdown();
  downs.forEach((down) => expect(down).toHaveBeenCalledOnce());
});

test("a game that goes on after shutdown() is told to nobody, and nothing is held", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint);
  await using telemetry = startTelemetry();
  const ledger = announcedTelemetry()!.metering as Ledger;
  await using game = await startServer({ arena: Room }, {}, undefined, GLOBAL_PROVIDERS);
  await telemetry.shutdown();
  await (await game.client().joinOrCreate("arena")).leave();
  expect(queuedIn(ledger)).toEqual([0]);
});

test('the SDK packages are loaded at once with load: "now", and else after 30 s at the latest', async () => {
  const now = startTelemetry({ load: "now" });
  await until("the load", () => announcedTelemetry()!.scrape);
  await now.shutdown();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    await using _later = startTelemetry();
    const load = vi.spyOn(announcedTelemetry()!, "load").mockResolvedValue();
    vi.advanceTimersByTime(29_999);
    expect(load).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(load).toHaveBeenCalledExactlyOnceWith(false);
    load.mockRestore();
    vi.useRealTimers();
  } finally {
    vi.useRealTimers();
  }
});

test("a flush to a collector that is not there, or of nothing at all, does not wait for its deadline", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
  await using telemetry = startTelemetry();
  await telemetry.flush(600_000);
  trace.getTracer("game").startSpan("one").end();
  await telemetry.flush(600_000);
});

test("packages that cannot be loaded cost one warning and the spans, which nobody holds for ever, and no game", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.doMock("@opentelemetry/exporter-prometheus", () => {
    throw new Error("not installed");
  });
  await using telemetry = startTelemetry({ load: "now" });
  const ledger = announcedTelemetry()!.metering as Ledger;
  await using game = await startServer({ arena: Room }, {}, undefined, GLOBAL_PROVIDERS);
  await game.client().joinOrCreate("arena");
  await telemetry.flush(600_000);
  await (await game.client().joinOrCreate("arena")).leave();
  expect(queuedIn(ledger)).toEqual([0]);
  expect(warned.mock.calls).toHaveLength(1);
  expect(warned.mock.calls.join()).toContain("the OpenTelemetry SDK could not be loaded");
});

function queuedIn(ledger: Ledger) {
  const queued = [...ledger.collect()].find(({ metric }) => metric === METRICS.spansQueued);
  return queued?.series.map(({ value }) => value);
}
