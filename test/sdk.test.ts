import { context, metrics, propagation, ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import { InMemoryMetricExporter, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from "@opentelemetry/sdk-trace";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { startTelemetry, type StartTelemetryOptions } from "colyseus-otel/sdk";
import { announcedTelemetry } from "../src/telling/announcement.ts";
import { createSpanQueue } from "../src/sdk/exporters.ts";
import { samplerFromEnvironment } from "../src/sdk/sampler.ts";
import { startReceiver } from "../demo/receiver/receiver.ts";
import { until } from "./_server.ts";
import { spanTree } from "./_telemetry.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

function startRecording(options: StartTelemetryOptions = {}) {
  const exporter = new InMemorySpanExporter();
  const metricExporter = new InMemoryMetricExporter(1);
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 });
  const telemetry = startTelemetry({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    metricReaders: [reader],
    ...options,
  });
  return {
    spans: () => exporter.getFinishedSpans(),
    reader,
    load: () => announcedTelemetry()!.load(true),
    [Symbol.asyncDispose]: () => telemetry.shutdown(),
  };
}

test("spans from before the load keep their ids, times, tree and all that was done to them", async () => {
  await using sdk = startRecording();
  const tracer = trace.getTracer("game", "1.2.3");
  const before = Date.now();
  const handedOut = tracer.startActiveSpan("boot", { attributes: { early: true } }, (span) => {
    tracer.startSpan("inner").setAttribute("n", 1).addEvent("hit", { by: "ada" }).end();
    span.setStatus({ code: SpanStatusCode.ERROR, message: "slow" }).updateName("boot renamed");
    span.recordException(new Error("late"));
    span.end();
    return span.spanContext();
  });
  const open = tracer.startSpan("open", {}, trace.setSpanContext(ROOT_CONTEXT, handedOut));
  const ended = Date.now();
  await sdk.load();
  open.setAttribute("after", "load");
  open.end();
  expect(spanTree(sdk.spans())).toMatchInlineSnapshot(`
    "boot renamed  ERROR
      inner
      open"
  `);
  const [inner, boot] = ["inner", "boot renamed"].map((name) => sdk.spans().find((span) => span.name === name)!);
  expect(boot!.spanContext()).toMatchObject(handedOut);
  expect(boot!.instrumentationScope).toMatchObject({ name: "game", version: "1.2.3" });
  expect(boot!.attributes).toEqual({ early: true });
  expect(boot!.events.map(({ name }) => name)).toEqual(["exception"]);
  expect(inner!.events[0]).toMatchObject({ name: "hit", attributes: { by: "ada" } });
  const endedAt = boot!.endTime[0] * 1000 + boot!.endTime[1] / 1e6;
  expect(endedAt).toBeGreaterThanOrEqual(before - 1);
  expect(endedAt).toBeLessThanOrEqual(ended + 1);
  expect(sdk.spans().find((span) => span.name === "open")!.attributes).toEqual({ after: "load" });
});

test("a counter made at module scope before the load is exported with its full count, and goes on", async () => {
  await using sdk = startRecording();
  const meter = metrics.getMeter("game");
  const clicks = meter.createCounter("clicks", { unit: "{click}" });
  meter.createObservableGauge("depth").addCallback((result) => result.observe(7));
  const waits = meter.createHistogram("wait", { unit: "s" });
  clicks.add(2, { button: "fire" });
  waits.record(0.5);
  await sdk.load();
  clicks.add(3, { button: "fire" });
  const { resourceMetrics } = await sdk.reader.collect();
  const found = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  const values = Object.fromEntries(found.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints[0]!.value]));
  expect(values).toMatchObject({ clicks: 5, depth: 7, wait: { count: 1, sum: 0.5 } });
});

test("the sampler is asked once a span, also for those from before the load", async () => {
  const asked: string[] = [];
  const sampler: Sampler = {
    shouldSample: (_context, _traceId, name) => {
      asked.push(name);
      return { decision: name === "dropped" ? 0 : 2 };
    },
    toString: () => "asked",
  };
  await using sdk = startRecording({ sampler });
  const tracer = trace.getTracer("game");
  const dropped = tracer.startSpan("dropped");
  expect(dropped.isRecording()).toBe(false);
  dropped.end();
  tracer.startSpan("early").end();
  await sdk.load();
  tracer.startSpan("late").end();
  expect(asked).toEqual(["dropped", "early", "late"]);
  expect(sdk.spans().map(({ name }) => name)).toEqual(["early", "late"]);
});

test("of more than 10,000 spans before the load the rest is lost, their ids go on, and it is said once", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  await using sdk = startRecording();
  const tracer = trace.getTracer("game");
  const spans = Array.from({ length: 10_002 }, (_, at) => tracer.startSpan(`span ${at}`));
  for (const span of spans) {
    expect(trace.isSpanContextValid(span.spanContext())).toBe(true);
    span.setAttribute("early", true).end();
  }
  await sdk.load();
  expect(sdk.spans().map(({ name }) => name)).toEqual(spans.slice(0, 10_000).map((_, at) => `span ${at}`));
  expect(warned.mock.calls.flat()).toEqual([
    "colyseus-otel: more than 10000 spans before the SDK was loaded: the rest of them is lost",
  ]);
});

test("a span processor that throws at one early span costs none of the others", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const exporter = new InMemorySpanExporter();
  const keeping = new SimpleSpanProcessor({ exporter });
  const onStart: SimpleSpanProcessor["onStart"] = (span) => {
    if (span.name === "bad") {
      throw new Error("no such span");
    }
  };
  const spanProcessor = Object.assign(Object.create(keeping) as SimpleSpanProcessor, { onStart });
  await using _sdk = startTelemetry({ spanProcessors: [spanProcessor] });
  for (const name of ["good", "bad", "better"]) {
    trace.getTracer("game").startSpan(name).end();
  }
  await announcedTelemetry()!.load(true);
  trace.getTracer("game").startSpan("late").end();
  expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(["good", "better", "late"]);
  expect(warned.mock.calls.flat().join()).toContain("telemetry failed in replay");
});

test("the active span reaches timers and promises before the load as after it", async () => {
  await using _sdk = startRecording();
  const span = trace.getTracer("game").startSpan("hook");
  const seen = await context.with(trace.setSpan(context.active(), span), async () => {
    await new Promise((next) => setTimeout(next, 1));
    return trace.getActiveSpan();
  });
  expect(seen).toBe(span);
});

test("OTEL_TRACES_SAMPLER decides as the SDK's own samplers do", () => {
  const ratios = fc.double({ min: 0, max: 1, noNaN: true });
  const traceIds = fc.stringMatching(/^[0-9a-f]{32}$/).filter((id) => /[1-9a-f]/.test(id));
  fc.assert(
    fc.property(ratios, traceIds, (ratio, traceId) => {
      const ours = samplerFromEnvironment({
        OTEL_TRACES_SAMPLER: "traceidratio",
        OTEL_TRACES_SAMPLER_ARG: String(ratio),
      });
      const theirs = new TraceIdRatioBasedSampler(ratio);
      expect(ours.shouldSample(ROOT_CONTEXT, traceId, "x", 0, {}, []).decision).toBe(
        theirs.shouldSample(ROOT_CONTEXT, traceId).decision,
      );
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ["always_on", 0, 2],
  ["always_off", 1, 0],
  ["parentbased_always_on", 0, 0],
  ["parentbased_always_off", 1, 2],
  ["parentbased_traceidratio", 1, 2],
])("the sampler %s decides for a child of a parent with flags %i: %i", (name, traceFlags, decision) => {
  const parent = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    traceFlags,
    isRemote: true,
  };
  const sampler = samplerFromEnvironment({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: "0" });
  expect(
    sampler.shouldSample(trace.setSpanContext(ROOT_CONTEXT, parent), parent.traceId, "x", 0, {}, []).decision,
  ).toBe(decision);
});

test("a sampler that is not known is named, and the default is used", () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  expect(samplerFromEnvironment({ OTEL_TRACES_SAMPLER: "jaeger_remote" }).toString()).toBe("parentbased_always_on");
  expect(warned.mock.calls.flat().join()).toContain('OTEL_TRACES_SAMPLER="jaeger_remote" is not known');
});

test("the resource says who sends: environment over options over defaults", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint);
  vi.stubEnv("OTEL_SERVICE_NAME", "arena");
  vi.stubEnv("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=games,deployment.environment.name=staging");
  await using _sdk = startTelemetry({ resource: { "service.namespace": "mine", "service.version": "4.5.6" } });
  announcedTelemetry()!.describeResource({ "agones.gameserver.name": "arena-1", "agones.fleet": "arena" });
  trace.getTracer("game").startSpan("one").end();
  await announcedTelemetry()!.flush(5000);
  await receiver.waitFor(() => receiver.spans.length === 1);
  expect(receiver.spans[0]!.resource).toMatchObject({
    "service.name": "arena",
    "service.namespace": "games",
    "service.version": "4.5.6",
    "deployment.environment.name": "staging",
    "service.instance.id": "arena-1",
    "agones.gameserver.name": "arena-1",
    "agones.fleet": "arena",
  });
});

test("requests of the game's own carry what OTEL_PROPAGATORS asks for", async () => {
  vi.stubEnv("OTEL_PROPAGATORS", "tracecontext");
  await using sdk = startRecording();
  await sdk.load();
  const carrier: Record<string, string> = {};
  trace.getTracer("game").startActiveSpan("request", (span) => {
    propagation.inject(
      propagation.setBaggage(context.active(), propagation.createBaggage({ a: { value: "b" } })),
      carrier,
    );
    span.end();
  });
  expect(Object.keys(carrier)).toEqual(["traceparent"]);
});

test("a room of hundreds that closes in one tick loses no span", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint);
  await using _sdk = startTelemetry({ load: "now" });
  await announcedTelemetry()!.load(true);
  const tracer = trace.getTracer("game");
  for (let at = 0; at < 5000; at += 1) {
    tracer.startSpan(`leave ${at}`).end();
  }
  await announcedTelemetry()!.flush(10_000);
  await receiver.waitFor(() => receiver.spans.length >= 5000, 10_000);
  expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).toBe(5000);
});

test("metrics go over OTLP as well when OTEL_METRICS_EXPORTER asks for it", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint);
  vi.stubEnv("OTEL_METRICS_EXPORTER", "prometheus,otlp");
  await using _sdk = startTelemetry();
  metrics.getMeter("game").createCounter("clicks").add(1);
  await announcedTelemetry()!.flush(5000);
  await receiver.waitFor(() => receiver.metrics.some(({ name }) => name === "clicks"));
  expect(announcedTelemetry()!.scrape).toBeTypeOf("function");
});

test("a collector that is not there costs one warning, which names the variable, and no game", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
  await using _sdk = startTelemetry({ load: "now" });
  for (let at = 0; at < 3; at += 1) {
    trace.getTracer("game").startSpan("lost").end();
    await announcedTelemetry()!.flush(3000);
  }
  await until("the warning", () => warned.mock.calls.length > 0);
  expect(warned.mock.calls.flat()).toHaveLength(1);
  expect(warned.mock.calls.flat()[0]).toMatch(
    /1 spans could not be sent to http:\/\/127\.0\.0\.1:1 \(OTEL_EXPORTER_OTLP_ENDPOINT\) and are kept and sent again: /,
  );
});

test.each([
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" }, 'OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf" is not spoken here'],
  [{ OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json" }, '_PROTOCOL="http/json" is not spoken here'],
  [{ OTEL_BSP_MAX_QUEUE_SIZE: "100" }, "OTEL_BSP_MAX_QUEUE_SIZE"],
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, undefined],
])("what is asked for by %o and is not done is said", (env, said) => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  // A warning is said once a minute.
  vi.spyOn(performance, "now").mockReturnValue((minute += 100_000));
  expect(createSpanQueue(1000, env)).toBeDefined();
  expect(warned.mock.calls).toHaveLength(said === undefined ? 0 : 1);
  expect(warned.mock.calls.join()).toContain(said ?? "");
});

let minute = 10_000_000;

test("a second time, or with OTEL_SDK_DISABLED it does nothing and says so", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.stubEnv("OTEL_SDK_DISABLED", "true");
  await using _disabled = startTelemetry();
  expect(announcedTelemetry()).toBeUndefined();
  vi.stubEnv("OTEL_SDK_DISABLED", "");
  await using _first = startTelemetry();
  await using _second = startTelemetry();
  expect(warned.mock.calls.flat()).toEqual([
    "colyseus-otel: startTelemetry() was called already, the second call does nothing",
  ]);
});

test("beside another SDK nothing is started, that one stays, and it is said", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.spyOn(performance, "now").mockReturnValue((minute += 100_000));
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  try {
    await using _ours = startTelemetry({ load: "now" });
    expect(announcedTelemetry()).toBeUndefined();
    expect(warned.mock.calls.join()).toContain("another OpenTelemetry SDK is registered already");
  } finally {
    trace.getTracer("game").startSpan("theirs").end();
    trace.disable();
  }
  expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(["theirs"]);
});

test("options that are wrong are named", () => {
  expect(() => startTelemetry({ load: "soon" as "now" })).toThrow(
    new TypeError('load must be "ready" or "now", got "soon"'),
  );
  expect(() => startTelemetry({ exporter: 1 } as StartTelemetryOptions)).toThrow(
    'startTelemetry: unknown option "exporter" (1)',
  );
  expect(() => startTelemetry({ spanProcessors: [{}] as never })).toThrow(
    "spanProcessors[0] must be an object with onStart(), onEnd(), shutdown(), forceFlush(), got {}",
  );
  expect(() => startTelemetry({ prometheus: "yes" as unknown as boolean })).toThrow(
    'prometheus must be true or false, got "yes"',
  );
});
