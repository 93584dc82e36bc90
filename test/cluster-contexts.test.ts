import type { matchMaker } from "@colyseus/core";
import { AsyncResource } from "node:async_hooks";
import { expect, test } from "vitest";
import { startCluster, type DefineRoom } from "./_cluster.ts";
import { until } from "./_server.ts";
import { recordTelemetry } from "./_telemetry.ts";

const CALLER = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };

const arena: DefineRoom = (core) =>
  class extends core.Room {
    override onCreate() {}
  };

test("players who ask at the same time each go on with their own trace", async () => {
  await using cluster = await startCluster({ arena });
  const callers = ["1", "2", "3"].map((digit) => digit.repeat(32));
  const rooms = await Promise.all(
    callers.map(async (trace) =>
      cluster.a.client().create("arena", { traceparent: `00-${trace}-b7ad6b7169203331-01` }),
    ),
  );
  for (const [player, { sessionId, roomId }] of rooms.entries()) {
    const ofB = cluster.b.recorded.spans();
    const join = ofB.find(({ attributes }) => attributes["colyseus.session.id"] === sessionId)!;
    const made = ofB.find(({ name, attributes }) => /create/.test(name) && attributes["colyseus.room.id"] === roomId)!;
    expect([join, made].map((span) => span.spanContext().traceId)).toEqual([callers[player], callers[player]]);
  }
});

test("a room that server code in A makes on B, inside a span of the game, hangs there", async () => {
  await using cluster = await startCluster({ arena });
  await cluster.a.recorded.tracerProvider.getTracer("game").startActiveSpan("nightly tournament", async (span) => {
    await cluster.a.matchMaker.createRoom("arena", {});
    span.end();
  });
  expect(cluster.played()).toBe("a: nightly tournament\n  b: room.create arena");
});

test("a room that a process makes for itself while others ask it is nobody else's", async () => {
  await using cluster = await startCluster({ arena });
  await cluster.a.client().joinOrCreate("arena", CALLER);
  await cluster.b.matchMaker.createRoom("arena", {});
  const [first, second] = cluster.b.recorded.named("room.create arena");
  expect(first!.parentSpanContext?.traceId).toBe("0af7651916cd43dd8448eb211c80319c");
  expect(second!.parentSpanContext).toBeUndefined();
});

test("a connection to the presence that was opened inside a span puts no request of others under it", async () => {
  const game = recordTelemetry().tracerProvider.getTracer("game");
  await using cluster = await game.startActiveSpan("connect", async () => startCluster({ arena }, { plain: "a" }));
  await cluster.a.matchMaker.createRoom("arena", {});
  expect(cluster.b.recorded.one("room.create arena").parentSpanContext).toBeUndefined();
});

test("a seat that a timer of B's room reserves later is not the session of the player of A whose request made it", async () => {
  let reserve = async (): Promise<matchMaker.ISeatReservation> => Promise.reject(new Error("too early"));
  const match: DefineRoom = (core) =>
    class extends core.Room {
      override onCreate() {
        reserve = AsyncResource.bind(async () => core.matchMaker.joinOrCreate("match", {}));
      }
    };
  await using cluster = await startCluster({ match });
  const first = await cluster.a.client().create("match", CALLER);
  const second = await cluster.a.client().consumeSeatReservation(await reserve());
  const { named, one } = cluster.b.recorded;
  await until("both players", () => named("session.started").length === 2);
  const parents = named("session.started").map((span) => [
    span.attributes["session.id"],
    span.parentSpanContext?.spanId,
  ]);
  expect(parents).toContainEqual([first.sessionId, "b7ad6b7169203331"]);
  expect(parents).toContainEqual([second.sessionId, one("room.create match").spanContext().spanId]);
});
