import { Room, type Client } from "@colyseus/core";
import { SpanKind } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { startServer, underHttpSpans, until } from "./_server.ts";
import { spanTree } from "./_telemetry.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const OTHER_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTHER = `00-${OTHER_TRACE}-00f067aa0ba902b7-01`;
const OTHER_CONTEXT = { traceId: OTHER_TRACE, spanId: "00f067aa0ba902b7", traceFlags: 1, isRemote: true };

class Arena extends Room {
  static override async onAuth(token: string) {
    return { token };
  }
  override onCreate() {}
  override onJoin(_client: Client, _options: unknown) {}
  override onLeave() {}
  override onDispose() {}
}

test("a player's way from the request to the leave is one trace, and continues the player's own", async () => {
  await using game = await startServer({ arena: Arena });
  const room = await game.client().joinOrCreate("arena", { traceparent: TRACEPARENT });
  await room.leave();
  await until("the disposal", () => game.recorded.named("room.on_dispose arena").length === 1);
  expect(spanTree(game.recorded.spans())).toMatchInlineSnapshot(`
    "gameserver.boot
      gameserver.boot.load
      gameserver.boot.prepare
      gameserver.boot.listen
    room.on_dispose arena  ~> room.create arena
    <outside>
      matchmake arena
        room.auth arena
        room.create arena
        room.join arena
          room.on_join arena
      session.started
        session.phase.in_game
        session.lifecycle
        room.on_leave arena  ~> room.join arena"
  `);
  const traces = new Set(game.recorded.spans().map((span) => span.spanContext().traceId));
  expect(traces).toContain(TRACE);
});

test("without any context the matchmaking request is the root, and the session hangs under it", async () => {
  await using game = await startServer({ arena: Arena });
  await game.client().joinOrCreate("arena");
  await until("the join", () => game.recorded.named("room.join arena").length === 1);
  expect(game.played()).toMatchInlineSnapshot(`
    "matchmake arena
      room.auth arena
      room.create arena
      session.started
      room.join arena
        room.on_join arena"
  `);
  expect(game.recorded.one("matchmake arena").kind).toBe(SpanKind.SERVER);
  expect(game.recorded.one("room.join arena").kind).toBe(SpanKind.SERVER);
});

test.each(["traceparent header", "join options"])(
  "a context that came in %s is the parent of the request and of the session",
  async (carrier) => {
    await using game = await startServer({ arena: Arena });
    const header = carrier === "traceparent header";
    await game
      .client(header ? { traceparent: TRACEPARENT } : {})
      .joinOrCreate("arena", header ? {} : { traceparent: TRACEPARENT });
    await until("the join", () => game.recorded.named("room.join arena").length === 1);
    for (const name of ["matchmake arena", "session.started"]) {
      const span = game.recorded.one(name);
      expect(span.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: "b7ad6b7169203331", isRemote: true });
      expect(span.links).toEqual([]);
    }
  },
);

test("the join options win over the header, which becomes a link that names its carrier", async () => {
  await using game = await startServer({ arena: Arena });
  await game.client({ traceparent: OTHER }).joinOrCreate("arena", { traceparent: TRACEPARENT });
  const span = game.recorded.one("matchmake arena");
  expect(span.parentSpanContext?.traceId).toBe(TRACE);
  expect(span.links.map((link) => [link.context.traceId, link.attributes])).toEqual([
    [OTHER_TRACE, { "colyseus.trace_context.source": "header" }],
  ]);
});

test("the same context in options and header is a parent and no link to that parent", async () => {
  await using game = await startServer({ arena: Arena });
  await game.client({ traceparent: TRACEPARENT }).joinOrCreate("arena", { traceparent: TRACEPARENT });
  expect(game.recorded.one("matchmake arena").links).toEqual([]);
});

test("under an active HTTP span the request is its INTERNAL child, and a header that the span continues already is no link", async () => {
  await using game = await startServer({ arena: Arena });
  underHttpSpans(game, OTHER_CONTEXT);
  await game.client({ traceparent: OTHER }).joinOrCreate("arena");
  await until("the HTTP span", () => game.recorded.named("POST").length === 1);
  const span = game.recorded.one("matchmake arena");
  expect(span.kind).toBe(SpanKind.INTERNAL);
  expect(span.links).toEqual([]);
  expect(game.played()).toMatchInlineSnapshot(`
    "<outside>
      POST
        matchmake arena
          room.auth arena
          room.create arena
          session.started
          room.join arena
            room.on_join arena"
  `);
});

test("under an active HTTP span the player's own journey stays the parent; the HTTP span and a foreign header are links", async () => {
  await using game = await startServer({ arena: Arena });
  underHttpSpans(game);
  await game.client({ traceparent: OTHER }).joinOrCreate("arena", { traceparent: TRACEPARENT });
  await until("the HTTP span", () => game.recorded.named("POST").length === 1);
  const span = game.recorded.one("matchmake arena");
  expect(span.parentSpanContext?.traceId).toBe(TRACE);
  expect(span.links.map((link) => [link.context.traceId, link.attributes?.["colyseus.trace_context.source"]])).toEqual([
    [game.recorded.one("POST").spanContext().traceId, "http_span"],
    [OTHER_TRACE, "header"],
  ]);
});

test("trust link: a trace of our own, linked to each context that the player sent", async () => {
  await using game = await startServer({ arena: Arena }, { trust: "link" });
  await game.client({ traceparent: OTHER }).joinOrCreate("arena", { traceparent: TRACEPARENT });
  await until("the join", () => game.recorded.named("room.join arena").length === 1);
  const span = game.recorded.one("matchmake arena");
  expect(span.parentSpanContext).toBeUndefined();
  expect(span.links.map((link) => link.context.traceId)).toEqual([TRACE, OTHER_TRACE]);
  expect(game.recorded.one("session.started").parentSpanContext?.spanId).toBe(span.spanContext().spanId);
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=linked source=join_options": 1,
    "outcome=linked source=header": 1,
  });
});

test("trust ignore: a trace of our own without any link, and counted", async () => {
  await using game = await startServer({ arena: Arena }, { trust: "ignore" });
  await game.client({ traceparent: OTHER }).joinOrCreate("arena", { traceparent: TRACEPARENT });
  const span = game.recorded.one("matchmake arena");
  expect(span.parentSpanContext).toBeUndefined();
  expect(span.links).toEqual([]);
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=ignored source=join_options": 1,
    "outcome=ignored source=header": 1,
  });
});
