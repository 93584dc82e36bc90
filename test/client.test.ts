import { Room } from "@colyseus/core";
import { schema, t } from "@colyseus/schema";
import * as api from "@opentelemetry/api";
import { context, propagation, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import fc from "fast-check";
import * as oldestApi from "opentelemetry-api-1-9";
import { afterEach, beforeEach, expect, expectTypeOf, test } from "vitest";
import { startSession, type SessionCarrier } from "colyseus-otel/backend";
import { withTraceContext, type TraceCarrier } from "colyseus-otel/client";
import { startServer, until } from "./_server.ts";
import { recordTelemetry, spanTree } from "./_telemetry.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OTHER = "00-11111111111111111111111111111111-2222222222222222-01";
const CARRIER = { traceparent: TRACEPARENT, tracestate: "a=b", "colyseus-otel": "1:id:2:0:0:server::::" };

beforeEach(() => void propagation.setGlobalPropagator(new W3CTraceContextPropagator()));
afterEach(() => propagation.disable());

const seen: unknown[] = [];
class Arena extends Room {
  override onJoin(_client: unknown, options: unknown) {
    seen.push(options);
  }
}

test("a player who logs in and joins has one trace and one session, and the game sees its own options only", async () => {
  const recorded = recordTelemetry();
  await using game = await startServer({ arena: Arena }, {}, recorded);
  const { carrier } = startSession({ playerId: "Ann", tracerProvider: recorded.tracerProvider });
  const answer = JSON.parse(JSON.stringify(carrier)) as SessionCarrier;
  seen.length = 0;
  const room = await game.client().joinOrCreate("arena", withTraceContext({ name: "Ann" }, answer));
  await room.leave();
  await until("the end", () => recorded.named("session.lifecycle").length === 1);
  expect(seen).toEqual([{ name: "Ann" }]);
  expect(spanTree(recorded.spans().filter(({ name }) => !/^gameserver|on_dispose/.test(name)))).toMatchInlineSnapshot(`
    "session.started
      session.phase.login
      session.lifecycle
      matchmake arena
        room.join arena
          room.on_join arena
      session.phase.in_game"
  `);
  expect(recorded.one("session.lifecycle").attributes["player.id"]).toBe("Ann");
});

test.each([
  ["1.10", api],
  ["1.9", oldestApi],
])(
  "with the page's own OpenTelemetry (API %s) the join hangs from its active span, and the session is still the login's",
  async (_version, page) => {
    const recorded = recordTelemetry();
    await using game = await startServer({ arena: Arena }, {}, recorded);
    const { carrier, id } = startSession({ playerId: "Ann", tracerProvider: recorded.tracerProvider });
    const click = recorded.tracerProvider.getTracer("page").startSpan("click play");
    const options = context.with(trace.setSpan(context.active(), click), () => withTraceContext({}, carrier, page));
    await (await game.client().joinOrCreate("arena", options)).leave();
    click.end();
    await until("the end", () => recorded.named("session.lifecycle").length === 1);
    expect(recorded.one("matchmake arena").parentSpanContext?.spanId).toBe(click.spanContext().spanId);
    expect(recorded.one("session.lifecycle").attributes).toMatchObject({ "session.id": id, "player.id": "Ann" });
  },
);

test.each(["join", "create", "joinById"] as const)("%s takes the options as well", async (method) => {
  await using game = await startServer({ arena: Arena });
  const first = await game.client().create("arena");
  const options = withTraceContext({ name: "Ann" }, CARRIER);
  const room = await game.client()[method](method === "joinById" ? first.roomId : "arena", options);
  const traces = () => game.recorded.named("room.join arena").map((span) => span.spanContext().traceId);
  await until("the join, in the carrier's trace", () => traces().includes("0af7651916cd43dd8448eb211c80319c"));
  await Promise.all([first.leave(), room.leave()]);
});

test("the copy has the carrier's three texts, and nothing else of it", () => {
  expect(withTraceContext({ name: "Ann" }, { ...CARRIER, name: "Bob" } as TraceCarrier)).toEqual({
    name: "Ann",
    ...CARRIER,
  });
  expect(withTraceContext(undefined, CARRIER)).toEqual(CARRIER);
  expect(withTraceContext(undefined, undefined)).toEqual({});
});

test("a carrier that the game keeps in a room's state is read like any other", () => {
  const Carrier = schema({ traceparent: t.string(), "colyseus-otel": t.string() });
  const { tracestate: _none, ...rest } = CARRIER;
  const state = Object.assign(new Carrier(), rest);
  expect(Object.keys(state)).not.toContain("traceparent");
  expect(withTraceContext({}, state)).toEqual(rest);
});

test("a new context never comes with the tracestate of an older one, nor the page's with that of the carrier", () => {
  const { tracestate: _none, ...rest } = CARRIER;
  expect(withTraceContext({ traceparent: OTHER, tracestate: "old=1" }, rest)).toEqual(rest);
  expect(withTraceContext({}, CARRIER, pageThatInjects({ traceparent: OTHER }))).toEqual({
    ...rest,
    traceparent: OTHER,
  });
});

test("only the page's trace context leaves it, not what else its propagators write", () => {
  const page = pageThatInjects({ traceparent: OTHER, tracestate: "c=d", baggage: "who=Ann", "colyseus-otel": "mine" });
  expect(withTraceContext({}, undefined, page)).toEqual({ traceparent: OTHER, tracestate: "c=d" });
});

test.each([
  ["has no span that is active", api],
  ["injects something else than W3C", pageThatInjects({ b3: "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331" })],
  ["has a propagator that throws", pageThatInjects(new Proxy({}, { ownKeys: hostile }))],
  ["is no OpenTelemetry at all", {} as typeof api],
])("a page that %s leaves the carrier's context as the parent", (_what, page) => {
  expect(withTraceContext({}, CARRIER, page)).toEqual(CARRIER);
});

test("a page that has no OpenTelemetry registered leaves the carrier's context as the parent", () => {
  propagation.disable();
  expect(withTraceContext({}, CARRIER, api)).toEqual(CARRIER);
});

test.each([
  ["missing", undefined],
  ["null", null],
  ["a text", TRACEPARENT],
  ["a number", 7],
  ["of another kind", { traceparent: 7, tracestate: {}, "colyseus-otel": [TRACEPARENT] }],
  ["empty", { traceparent: "", tracestate: "", "colyseus-otel": "" }],
  ["too long for any server", { traceparent: "x".repeat(513), "colyseus-otel": "x".repeat(1 << 20) }],
  ["one that throws", new Proxy({}, { get: hostile })],
])("a carrier that is %s adds nothing", (_what, carrier) => {
  const options = { name: "Ann", traceparent: OTHER, tracestate: "mine=1" };
  expect(withTraceContext(options, carrier as TraceCarrier)).toEqual(options);
});

const keys = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString", ...Object.keys(CARRIER)));
const anything = fc.oneof(fc.anything({ withBigInt: true, withNullPrototype: true }), fc.constant(CARRIER));

test("any options, any carrier, any page: nothing throws, nothing is changed, and every other key is kept", () => {
  const carriers = fc.oneof(anything, fc.dictionary(keys, anything));
  fc.assert(
    fc.property(fc.dictionary(keys, anything), carriers, anything, (options, carrier, page) => {
      const before = entriesOf(options);
      Object.freeze(options);
      const copy = withTraceContext(options, carrier as TraceCarrier, page as typeof api);
      expect(copy).not.toBe(options);
      expect(entriesOf(options)).toEqual(before);
      const others = (entries: [string, unknown][]) => entries.filter(([key]) => !Object.hasOwn(CARRIER, key));
      expect(others(entriesOf(copy))).toEqual(others(before));
      expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    }),
    { numRuns: 2000 },
  );
});

test("options that cannot be copied are handed on as they are", () => {
  const options = new Proxy({}, { ownKeys: hostile });
  expect(withTraceContext(options, CARRIER)).toBe(options);
});

test("the types fit: the backend's carrier goes in, and what comes out is what the room asks for", () => {
  interface Wanted {
    readonly name: string;
    readonly team?: "red" | "blue";
  }
  const carrier: SessionCarrier | undefined = CARRIER;
  expectTypeOf(withTraceContext({ name: "Ann", team: "red" as const }, carrier)).toExtend<Wanted>();
  expectTypeOf(withTraceContext({ team: "red" as const }, carrier)).not.toExtend<Wanted>();
  const perhaps = undefined as Wanted | undefined;
  expectTypeOf(withTraceContext(perhaps, null, oldestApi)).not.toExtend<Wanted>();
  expectTypeOf(withTraceContext(undefined, undefined)).toExtend<TraceCarrier>();
  // @ts-expect-error: no carrier has such a key
  withTraceContext({}, { tracparent: TRACEPARENT });
});

function pageThatInjects(fields: object): typeof api {
  const inject = (_context: unknown, carrier: object) => void Object.assign(carrier, fields);
  return { context: { active: () => undefined }, propagation: { inject } } as unknown as typeof api;
}

function hostile(): never {
  throw new Error("hostile");
}

/** With an own "__proto__", which toEqual() does not see. */
function entriesOf(value: object): [string, unknown][] {
  return Object.entries(value);
}
