import { SpanStatusCode, trace, type Span, type SpanContext } from "@opentelemetry/api";
import { matchMaker, Room } from "@colyseus/core";
import { afterEach, expect, test, vi } from "vitest";
import { startTelemetry, type StartTelemetryOptions } from "colyseus-otel/sdk";
import { SPANS } from "../src/conventions.ts";
import { announcedTelemetry } from "../src/telling/announcement.ts";
import { createFastLane } from "../src/sdk/fast-lane.ts";
import type { EncodableSpan } from "../src/sdk/otlp/span-chunk.ts";
import { PendingTracerProvider } from "../src/sdk/pending-tracing.ts";
import { samplerFromEnvironment } from "../src/sdk/sampler.ts";
import type { SpanQueue } from "../src/sdk/span-queue.ts";
import { newStep } from "../src/telling/step.ts";
import { startReceiver, type ReceivedSpan } from "../demo/receiver/receiver.ts";
import { GLOBAL_PROVIDERS, roomOf, startServer, until } from "./_server.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const OTHER: SpanContext = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1 };

/** A game's room that does the same in each of its hooks. */
function roomThat(does: (hook: string) => Promise<void>): new () => Room {
  return class extends Room {
    static override async onAuth() {
      await does("static onAuth");
      return true;
    }
    override onCreate() {
      return does("onCreate");
    }
    override async onAuth() {
      await does("onAuth");
      return true;
    }
    override onJoin() {
      return does("onJoin");
    }
    override onLeave() {
      return does("onLeave");
    }
    override onDispose() {
      return does("onDispose");
    }
  };
}

/** startTelemetry() as it comes, whose SDK packages are not loaded before the test says so. */
function startHeld(options: StartTelemetryOptions = {}) {
  const telemetry = startTelemetry(options);
  const announced = announcedTelemetry()!;
  const held = vi.spyOn(announced, "load").mockResolvedValue();
  return {
    async load() {
      held.mockRestore();
      await announced.load(true);
    },
    async flush() {
      held.mockRestore();
      await announced.flush(5000);
    },
    telemetry,
    [Symbol.asyncDispose]() {
      held.mockRestore();
      return telemetry.shutdown();
    },
  };
}

async function startLane(options: StartTelemetryOptions = {}) {
  const receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint);
  const sdk = startHeld(options);
  return {
    ...sdk,
    receiver,
    async [Symbol.asyncDispose]() {
      await sdk[Symbol.asyncDispose]();
      await receiver.close();
    },
  };
}

/** One player in and out, and the room gone. */
async function playOnce(room: new () => Room, joinOptions: object = {}): Promise<void> {
  await using game = await startServer({ arena: room }, {}, undefined, GLOBAL_PROVIDERS);
  const player = await game.client().create("arena", joinOptions);
  const { roomId } = player;
  await player.leave();
  await until("the disposal", () => !roomOf(roomId) && matchMaker.stats.local.roomCount === 0);
}

function byId(spans: readonly ReceivedSpan[], { spanId }: SpanContext): ReceivedSpan {
  const found = spans.filter((span) => span.spanId === spanId);
  expect(found).toHaveLength(1);
  return found[0]!;
}

const epoch = () => performance.timeOrigin + performance.now();

test("a join right after Ready, before the SDK is loaded, is in the trace with true times and the ids that were handed out", async () => {
  await using lane = await startLane();
  const seen: { id: SpanContext; own: SpanContext; from: number; to: number }[] = [];
  const Arena = class extends Room {
    override async onJoin() {
      const from = epoch();
      const own = trace.getTracer("game").startSpan("spawn");
      await new Promise((next) => setTimeout(next, 5));
      own.end();
      seen.push({ id: trace.getActiveSpan()!.spanContext(), own: own.spanContext(), from, to: epoch() });
    }
  };
  await using game = await startServer({ arena: Arena }, {}, undefined, GLOBAL_PROVIDERS);
  await game.telemetry.ready;
  const before = epoch();
  await game.client().joinOrCreate("arena");
  const after = epoch();
  expect(announcedTelemetry()!.scrape).toBeUndefined();
  await lane.flush();
  const { spans } = lane.receiver;
  const [{ id, own, from, to }] = seen as [(typeof seen)[0]];
  const onJoin = byId(spans, id);
  expect(onJoin).toMatchObject({ name: "room.on_join arena", traceId: id.traceId });
  expect(onJoin.startMs).toBeGreaterThan(before);
  expect(onJoin.startMs).toBeLessThanOrEqual(from + 0.001);
  expect(onJoin.endMs).toBeGreaterThanOrEqual(to - 0.001);
  expect(onJoin.endMs).toBeLessThan(after);
  expect(byId(spans, own)).toMatchObject({ name: "spawn", traceId: id.traceId, parentSpanId: id.spanId });
  const join = spans.find(({ spanId }) => spanId === onJoin.parentSpanId)!;
  const matchmake = spans.find(({ spanId }) => spanId === join.parentSpanId)!;
  expect([join.name, matchmake.name]).toEqual(["room.join arena", "matchmake arena"]);
  expect(matchmake.startMs).toBeGreaterThan(before);
});

test.each(["before the SDK is loaded", "after it"])(
  "what a game does to the active span in a hook, %s, is on our span, and what it does later is nowhere",
  async (when) => {
    await using lane = await startLane();
    if (when === "after it") {
      await lane.load();
    }
    const seen: { hook: string; span: Span; id: SpanContext }[] = [];
    const Arena = roomThat(async (hook) => {
      const span = trace.getActiveSpan()!;
      expect(span.isRecording()).toBe(true);
      span.setAttribute("hook", hook).setAttributes({ first: 1, "colyseus.room.name": "renamed" });
      span.addEvent("hit", { by: hook }, [1_700_000_000, 5e8]).addLink({ context: OTHER });
      span.addLinks([{ context: OTHER, attributes: { hook } }]);
      span.recordException(new TypeError(`${hook} slipped`));
      span.setStatus({ code: SpanStatusCode.ERROR, message: "by hand" }).updateName(`${hook} by hand`).end();
      await Promise.resolve();
      expect(trace.getActiveSpan()).toBe(span);
      expect(span.isRecording()).toBe(true);
      span.setAttribute("after.end", true);
      seen.push({ hook, span, id: { ...span.spanContext() } });
    });
    await playOnce(Arena);
    for (const { span, id } of seen) {
      expect(span.isRecording()).toBe(false);
      expect(span.spanContext()).toEqual(id);
      span.setAttribute("too.late", true).setAttributes({ "too.late": true }).addEvent("too late");
      span
        .addLink({ context: OTHER })
        .addLinks([{ context: OTHER }])
        .updateName("too late");
      span.setStatus({ code: SpanStatusCode.OK });
      span.recordException(new Error("too late"));
    }
    await lane.flush();
    expect(seen.map(({ hook }) => hook)).toEqual([
      "static onAuth",
      "onCreate",
      "onAuth",
      "onJoin",
      "onLeave",
      "onDispose",
    ]);
    for (const { hook, id } of seen) {
      const { name, attributes, status, events, links, traceId } = byId(lane.receiver.spans, id);
      expect([name, traceId]).toEqual([`${hook} by hand`, id.traceId]);
      expect(attributes).toMatchObject({ hook, first: 1, "colyseus.room.name": "renamed", "after.end": true });
      expect(attributes).not.toHaveProperty(["too.late"]);
      expect(status).toEqual({ code: "ERROR", message: "by hand" });
      expect(events.map((event) => event.name)).toEqual(["hit", "exception"]);
      expect(events[0]).toMatchObject({ timeMs: 1_700_000_000_500, attributes: { by: hook } });
      expect(events[1]!.attributes).toMatchObject({
        "exception.type": "TypeError",
        "exception.message": `${hook} slipped`,
      });
      const theirs = links.filter(({ spanId }) => spanId === OTHER.spanId);
      expect(theirs.map((link) => link.attributes)).toEqual([{}, { hook }]);
    }
  },
);

test("a hook that fails after the game wrote to its span: our error on top of what the game wrote", async () => {
  await using lane = await startLane();
  const ids: SpanContext[] = [];
  class Arena extends Room {
    override onJoin() {
      const span = trace.getActiveSpan()!;
      span
        .setAttributes({ "error.type": "mine", team: "red" })
        .setStatus({ code: SpanStatusCode.ERROR, message: "mine" });
      ids.push(span.spanContext());
      throw new Error("no spawn point");
    }
  }
  await using game = await startServer({ arena: Arena }, {}, undefined, GLOBAL_PROVIDERS);
  await game
    .client()
    .joinOrCreate("arena")
    .catch(() => {});
  await lane.flush();
  expect(byId(lane.receiver.spans, ids[0]!)).toMatchObject({
    attributes: { "error.type": "hook_error", team: "red" },
    status: { code: "ERROR", message: "Error: no spawn point" },
  });
});

test("a hook that does not return ends with its room, as interrupted, and so does its join; a late return is told no second time", async () => {
  await using lane = await startLane();
  let inside = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  class Stuck extends Room {
    override onJoin() {
      inside += 1;
      return promise;
    }
  }
  await using game = await startServer({ stuck: Stuck }, {}, undefined, GLOBAL_PROVIDERS);
  const joining = game
    .client()
    .joinOrCreate("stuck")
    .catch(() => {});
  await until("the hook", () => inside === 1);
  const [stuck] = await matchMaker.query({ name: "stuck" });
  await roomOf(stuck!.roomId).disconnect();
  await joining;
  resolve();
  await promise;
  await lane.flush();
  for (const name of ["room.join stuck", "room.on_join stuck"]) {
    const spans = lane.receiver.spans.filter((span) => span.name === name);
    expect(spans.map(({ attributes, status }) => [attributes["error.type"], status.code])).toEqual([
      ["interrupted", "UNSET"],
    ]);
  }
});

test("a hook that hangs when telemetry is shut down ends there, and a return after that is told no second time", async () => {
  await using lane = await startLane();
  const { promise, resolve } = Promise.withResolvers<void>();
  const spans: Span[] = [];
  class Slow extends Room {
    override onJoin() {
      spans.push(trace.getActiveSpan()!);
      return promise;
    }
  }
  await using game = await startServer({ slow: Slow }, {}, undefined, GLOBAL_PROVIDERS);
  const joining = game.client().joinOrCreate("slow");
  await until("the hook", () => spans.length === 1);
  await lane.load();
  await game.telemetry.shutdown();
  expect(spans[0]!.isRecording()).toBe(false);
  resolve();
  await joining;
  await lane.flush();
  const told = lane.receiver.spans.filter(({ spanId }) => spanId === spans[0]!.spanContext().spanId);
  expect(told.map(({ attributes }) => attributes["error.type"])).toEqual(["interrupted"]);
});

test("what nobody knew when a step ended is no attribute of its span", () => {
  const added: EncodableSpan[] = [];
  const queue = { add: (_scope: unknown, span: EncodableSpan) => void added.push({ ...span }) };
  const tracing = new PendingTracerProvider(samplerFromEnvironment({}));
  const step = newStep(SPANS.matchmake, { attributes: { known: 1, before: 2 } });
  Object.assign(step.result, { unknown: undefined, before: undefined, after: 3 });
  createFastLane(tracing, queue as unknown as SpanQueue).close(step);
  expect(added.map(({ attributes }) => attributes)).toStrictEqual([{ known: 1, before: 2, after: 3 }]);
});
