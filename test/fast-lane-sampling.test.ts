import { createTraceState, trace, type Attributes, type Link, type Span, type SpanContext } from "@opentelemetry/api";
import { matchMaker, Room } from "@colyseus/core";
import { InMemoryMetricExporter, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter, SimpleSpanProcessor, type Sampler } from "@opentelemetry/sdk-trace";
import { afterEach, expect, test, vi } from "vitest";
import { startTelemetry, type StartTelemetryOptions } from "colyseus-otel/sdk";
import { METRICS } from "../src/conventions.ts";
import { announcedTelemetry } from "../src/telling/announcement.ts";
import { startOtlpServer, type OtlpServer } from "./_otlp-server.ts";
import { GLOBAL_PROVIDERS, roomOf, startServer, until } from "./_server.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const [NOT_RECORD, RECORD, SAMPLED] = [0, 1, 2] as const;
const REMOTE: SpanContext = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: 1,
};
const TRACEPARENT = `00-${REMOTE.traceId}-${REMOTE.spanId}-01`;
const UNSAMPLED = TRACEPARENT.replace(/01$/, "00");

interface Asked {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly parent: SpanContext | undefined;
  readonly attributes: Attributes;
  readonly links: readonly Link[];
}

/** A sampler of the game's own, and all that it was asked. */
function samplerThat(decides: (asked: Asked) => ReturnType<Sampler["shouldSample"]>) {
  const asked: Asked[] = [];
  const sampler: Sampler = {
    shouldSample(context, traceId, name, kind, attributes, links) {
      const parent = trace.getSpanContext(context);
      const one = { name, kind, traceId, parent, attributes: structuredClone(attributes), links: [...links] };
      asked.push(one);
      return decides(one);
    },
    toString: () => "the game's own",
  };
  return { asked, sampler };
}

/** What the game finds in onJoin. */
interface Seen {
  readonly span: Span;
  readonly id: SpanContext;
  readonly recording: boolean;
}

/** A player in and out of a game with a span of its own in onJoin; what waits is sent. */
async function play(options: StartTelemetryOptions, joinOptions: object = {}) {
  const collector = await startOtlpServer();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `http://127.0.0.1:${collector.port}`);
  const seen: Seen[] = [];
  class Arena extends Room {
    static override async onAuth() {
      return true;
    }
    override onCreate() {}
    override onJoin() {
      const span = trace.getActiveSpan()!;
      seen.push({ span, id: span?.spanContext(), recording: span?.isRecording() });
      trace.getTracer("game").startSpan("spawn").end();
    }
    override onLeave() {}
    override onDispose() {}
  }
  await using _sdk = startTelemetry(options);
  await using game = await startServer({ arena: Arena }, {}, undefined, GLOBAL_PROVIDERS);
  const player = await game.client().create("arena", joinOptions);
  const { roomId } = player;
  await player.leave();
  await until("the disposal", () => !roomOf(roomId) && matchMaker.stats.local.roomCount === 0);
  await game.telemetry.shutdown();
  await announcedTelemetry()!.flush(5000);
  return { collector, seen: seen[0]! };
}

function namesAt(collector: OtlpServer): string[] {
  return collector.spans().map(({ name }) => name ?? "");
}

function one(collector: OtlpServer, name: string) {
  const spans = collector.spans().filter((span) => span.name === name);
  expect(spans).toHaveLength(1);
  return spans[0]!;
}

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");

/** Without what differs from run to run. */
function comparable(asked: readonly Asked[]) {
  return asked.map(({ name, kind, traceId, parent, attributes, links }) => ({
    name,
    kind,
    continued: traceId === REMOTE.traceId,
    parent: parent && {
      ...parent,
      traceId: parent.traceId === traceId,
      spanId: parent.spanId === REMOTE.spanId,
      isRemote: parent.isRemote === true,
      traceState: parent.traceState?.serialize(),
    },
    attributes: Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, typeof value])),
    links: links.map((link) => [link.context.traceId === traceId, link.attributes ?? {}]),
  }));
}

test("a sampler of the game's own is asked once a span, what the SDK would ask it in the standard lane", async () => {
  const run = async (options: StartTelemetryOptions) => {
    const { asked, sampler } = samplerThat(({ name }) => ({ decision: name === "room.create arena" ? 0 : 2 }));
    const { collector } = await play({ ...options, sampler }, { traceparent: TRACEPARENT });
    return { asked, collector };
  };
  const fast = await run({});
  const standard = await run({ spanProcessors: [new SimpleSpanProcessor({ exporter: new InMemorySpanExporter() })] });
  expect(comparable(fast.asked)).toEqual(comparable(standard.asked));
  const names = fast.asked.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["gameserver.boot", "room.auth arena", "room.on_join arena", "spawn"]));
  expect(namesAt(fast.collector).toSorted()).toEqual(names.filter((name) => name !== "room.create arena").toSorted());
});

test("what the game does to its span makes the sampler answer no second time", async () => {
  const { asked, sampler } = samplerThat(() => ({ decision: SAMPLED }));
  const collector = await startOtlpServer();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `http://127.0.0.1:${collector.port}`);
  await using _sdk = startTelemetry({ sampler });
  class Arena extends Room {
    override onJoin() {
      trace.getActiveSpan()!.setAttribute("team", "red");
    }
  }
  await using game = await startServer({ arena: Arena }, {}, undefined, GLOBAL_PROVIDERS);
  await game.client().joinOrCreate("arena");
  await announcedTelemetry()!.load(true);
  await game.client().joinOrCreate("arena");
  await announcedTelemetry()!.flush(5000);
  const onJoins = (names: readonly (string | undefined)[]) => names.filter((name) => name === "room.on_join arena");
  expect(onJoins(asked.map(({ name }) => name))).toHaveLength(2);
  expect(onJoins(namesAt(collector))).toHaveLength(2);
});

test.each([
  ["NOT_RECORD", NOT_RECORD, { recording: false, flags: 0, exported: false }],
  ["RECORD", RECORD, { recording: true, flags: 0, exported: false }],
  ["RECORD_AND_SAMPLED", SAMPLED, { recording: true, flags: 1, exported: true }],
])("a span for which the sampler says %s", async (_name, decision, expected) => {
  const { sampler } = samplerThat(({ name }) => ({ decision: name === "room.on_join arena" ? decision : SAMPLED }));
  const { collector, seen } = await play({ sampler });
  expect(seen.recording).toBe(expected.recording);
  expect(seen.id.traceFlags).toBe(expected.flags);
  expect(namesAt(collector).includes("room.on_join arena")).toBe(expected.exported);
  const spawn = one(collector, "spawn");
  expect([hex(spawn.traceId), hex(spawn.parentSpanId)]).toEqual([seen.id.traceId, seen.id.spanId]);
});

test("RECORD: the game may write to the span, and it is sent nowhere", async () => {
  const { sampler } = samplerThat(({ name }) => ({ decision: name.startsWith("room.on_join") ? RECORD : SAMPLED }));
  const collector = await startOtlpServer();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `http://127.0.0.1:${collector.port}`);
  await using _sdk = startTelemetry({ sampler });
  class Arena extends Room {
    override onJoin() {
      trace.getActiveSpan()!.setAttribute("team", "red").updateName("by hand");
    }
  }
  await using game = await startServer({ arena: Arena }, {}, undefined, GLOBAL_PROVIDERS);
  await game.client().joinOrCreate("arena");
  await announcedTelemetry()!.load(true);
  await game.client().joinOrCreate("arena");
  await announcedTelemetry()!.flush(5000);
  expect(namesAt(collector).filter((name) => /on_join|by hand/.test(name))).toEqual([]);
  expect(namesAt(collector).filter((name) => name === "room.join arena")).toHaveLength(2);
});

test.each(["not", "before the SDK is loaded", "after it"])(
  "attributes and trace state of the sampler are on the span, which the game has written to: %s",
  async (written) => {
    const traceState = createTraceState("ours=1");
    const { sampler } = samplerThat(({ name }) => ({
      decision: SAMPLED,
      ...(name === "room.on_join arena" && {
        attributes: { "sampler.rule": "joins", "colyseus.room.name": "by the sampler" },
        traceState,
      }),
    }));
    const collector = await startOtlpServer();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `http://127.0.0.1:${collector.port}`);
    await using _sdk = startTelemetry({ sampler });
    const found: SpanContext[] = [];
    class Arena extends Room {
      override onJoin() {
        const span = trace.getActiveSpan()!;
        found.push(span.spanContext());
        if (written !== "not") {
          span.setAttribute("team", "red");
        }
        const own = trace.getTracer("game").startSpan("spawn");
        found.push(own.spanContext());
        own.end();
      }
    }
    await using game = await startServer({ arena: Arena }, {}, undefined, GLOBAL_PROVIDERS);
    if (written === "after it") {
      await announcedTelemetry()!.load(true);
    }
    await game.client().joinOrCreate("arena");
    await announcedTelemetry()!.flush(5000);
    const span = one(collector, "room.on_join arena");
    expect(found.map((one) => one.traceState?.serialize())).toEqual(["ours=1", "ours=1"]);
    expect(span.traceState).toBe("ours=1");
    const texts = span.attributes.map(({ key, value }) => [key, value?.stringValue]);
    expect(texts).toContainEqual(["sampler.rule", "joins"]);
    expect(texts.filter(([key]) => key === "colyseus.room.name")).toEqual([["colyseus.room.name", "by the sampler"]]);
    expect(texts.some(([key]) => key === "team")).toBe(written !== "not");
    // Spans of the game's own inherit it.
    expect(one(collector, "spawn").traceState).toBe("ours=1");
  },
);

test("the trace state that a parent has goes on where the sampler says nothing of it", async () => {
  const { collector } = await play({}, { traceparent: TRACEPARENT, tracestate: "vendor=1" });
  expect(one(collector, "matchmake arena").traceState).toBe("vendor=1");
  expect(one(collector, "room.on_join arena").traceState).toBe("vendor=1");
});

test("a sampler that throws at one span costs that span, and neither game nor any other", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const everything = await play({});
  const { sampler } = samplerThat(({ name }) => {
    if (name === "room.on_join arena") {
      throw new Error("no rule");
    }
    return { decision: SAMPLED };
  });
  const { collector } = await play({ sampler });
  expect(namesAt(collector).toSorted()).toEqual(
    namesAt(everything.collector)
      .filter((name) => name !== "room.on_join arena")
      .toSorted(),
  );
});

test("a sampler that throws at every span costs all spans, no game, no metric, and a warning that has its words", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const { reader, points } = meter();
  const { sampler } = samplerThat(({ name }) => {
    if (name === "spawn") {
      return { decision: SAMPLED };
    }
    throw new Error("no rule at all");
  });
  const { collector } = await play({ sampler, metricReaders: [reader] });
  expect(namesAt(collector)).toEqual(["spawn"]);
  expect(await points(METRICS.joins.name)).toEqual([1]);
  expect(warned.mock.calls.flat().join()).toContain("no rule at all");
});

test("a sampler with a method decide() of its own is asked by shouldSample() like every other", async () => {
  const decide = vi.fn(() => "keep");
  const { asked, sampler } = samplerThat(() => ({ decision: SAMPLED }));
  const { collector } = await play({ sampler: Object.assign(sampler, { decide }) });
  expect(namesAt(collector)).toContain("room.on_join arena");
  expect(asked.map(({ name }) => name)).toContain("room.on_join arena");
  expect(decide).not.toHaveBeenCalled();
});

/** A reader in the program, and the values of a metric at the last export. */
function meter() {
  const exporter = new InMemoryMetricExporter(1);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  return {
    reader,
    async points(name: string) {
      const metrics = exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
      return metrics.findLast(({ descriptor }) => descriptor.name === name)?.dataPoints.map(({ value }) => value);
    },
  };
}

test("a player who is not sampled: hooks carry the ids with flag 00, the game's own spans follow, and everything is counted", async () => {
  const { reader, points } = meter();
  const { collector, seen } = await play({ metricReaders: [reader] }, { traceparent: UNSAMPLED });
  expect(seen.recording).toBe(false);
  expect(seen.id).toMatchObject({ traceId: REMOTE.traceId, traceFlags: 0 });
  expect(seen.id.spanId).toMatch(/^[0-9a-f]{16}$/);
  expect(seen.id.spanId).not.toBe(REMOTE.spanId);
  const names = namesAt(collector);
  expect(names).toContain("gameserver.boot");
  expect(names.filter((name) => /matchmake|room\.(?!on_dispose)|session|spawn/.test(name))).toEqual([]);
  expect(await points(METRICS.joins.name)).toEqual([1]);
  expect(await points(METRICS.sessionEnds.name)).toEqual([1]);
});

test("writing to a span that is not sampled does nothing", async () => {
  const { collector, seen } = await play({}, { traceparent: UNSAMPLED });
  seen.span.setAttribute("team", "red").addEvent("hit").end();
  expect(seen.span.spanContext()).toEqual(seen.id);
  expect(namesAt(collector)).not.toContain("room.on_join arena");
});

test("OTEL_TRACES_SAMPLER=traceidratio keeps or drops whole traces", async () => {
  vi.stubEnv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio");
  vi.stubEnv("OTEL_TRACES_SAMPLER_ARG", "0");
  const none = await play({});
  expect(namesAt(none.collector)).toEqual([]);
  expect(none.seen.id.traceFlags).toBe(0);
  vi.stubEnv("OTEL_TRACES_SAMPLER_ARG", "1");
  const all = await play({});
  expect(namesAt(all.collector)).toContain("spawn");
});
