import { Room } from "@colyseus/core";
import { expect, test } from "vitest";
import { sessionOf } from "colyseus-otel";
import { roomOf, startServer, until, type TestServer } from "./_server.ts";
import { endOf, startOf } from "./_telemetry.ts";

class Arena extends Room {}

async function join(game: TestServer) {
  const room = await game.client().joinOrCreate("arena");
  room.reconnection.enabled = false;
  const client = roomOf(room.roomId).clients.getById(room.sessionId)!;
  return { room, client };
}

test("a long phase is told segment by segment, each linked to the one before; its duration is counted once", async () => {
  await using game = await startServer({ arena: Arena }, { session: { segment: 40 } });
  const { room, client } = await join(game);
  sessionOf(client).match({ map: "dust2" });
  const told = () => game.recorded.named("session.phase.in_game");
  await until("three segments", () => told().length >= 3);
  await room.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  const segments = told();
  expect(segments.map(({ attributes }) => attributes["session.segment.index"])).toEqual(
    segments.map((_, at) => at + 1),
  );
  expect(segments.map(({ attributes }) => attributes["phase.ended_by"])).toEqual([
    ...segments.slice(1).map(() => "segment"),
    "leave",
  ]);
  for (const [at, segment] of segments.entries()) {
    const before = segments[at - 1];
    expect(segment.attributes["game.map"]).toBe("dust2");
    expect(segment.links.map((link) => link.context.spanId)).toEqual(before ? [before.spanContext().spanId] : []);
    expect(startOf(segment)).toBeCloseTo(before ? endOf(before) : startOf(segment), 3);
    expect(segment.spanContext().traceId).toBe(segments[0]!.spanContext().traceId);
  }
  expect(await game.recorded.points("game.session.phase.duration")).toMatchObject({ "phase=in_game": { count: 1 } });
  expect(await game.recorded.points("game.sessions")).toEqual({ "phase=in_game": 0 });
});

test("linked: each match and each segment is a trace of its own, begun by a session.started that links to the one before", async () => {
  await using game = await startServer({ arena: Arena }, { session: { segment: 40, traces: "linked" } });
  const { room } = await join(game);
  const told = () => game.recorded.named("session.phase.in_game");
  await until("a segment", () => told().length === 1);
  await room.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  const started = game.recorded.named("session.started");
  expect(started.length).toBe(told().length + 1);
  expect(new Set(started.map((span) => span.spanContext().traceId)).size).toBe(started.length);
  for (const [at, root] of started.entries()) {
    const before = started[at - 1];
    expect(root.links.map((link) => link.context.spanId)).toEqual(before ? [before.spanContext().spanId] : []);
    expect(root.attributes["session.segment.index"]).toBe(before ? at + 1 : undefined);
  }
  for (const [at, segment] of told().entries()) {
    expect(segment.parentSpanContext?.spanId).toBe(started[at + 1]!.spanContext().spanId);
  }
  const lifecycle = game.recorded.one("session.lifecycle");
  expect(lifecycle.parentSpanContext?.spanId).toBe(started.at(-1)!.spanContext().spanId);
  expect(lifecycle.links.map((link) => link.context.spanId)).toEqual([started[0]!.spanContext().spanId]);
});
