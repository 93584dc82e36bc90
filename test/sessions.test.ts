import { matchMaker, Room, type Client } from "@colyseus/core";
import { metrics } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { drop, roomOf, startServer, until, type TestServer } from "./_server.ts";
import { durationOf, recordTelemetry, startOf } from "./_telemetry.ts";

class Arena extends Room {
  override onLeave(_client: Client, _code?: number): void | Promise<unknown> {}
}

async function ended(game: TestServer) {
  await until("the end of the session", () => game.recorded.named("session.lifecycle").length === 1);
  const { attributes } = game.recorded.one("session.lifecycle");
  const [phase] = [
    ...game.recorded.named("session.phase.in_game"),
    ...game.recorded.named("session.phase.matchmaking"),
  ];
  return {
    reason: attributes["session.end_reason"],
    type: attributes["session.end_type"],
    code: attributes["colyseus.close.code"],
    phase: attributes["session.end_phase"],
    endedBy: phase?.attributes["phase.ended_by"],
  };
}

test("the phase and the session begin when the socket was accepted, and end when the player was gone", async () => {
  const left = Promise.withResolvers<number>();
  const slowly = Promise.withResolvers<void>();
  class Slow extends Arena {
    override onLeave() {
      left.resolve(performance.timeOrigin + performance.now());
      return slowly.promise;
    }
  }
  await using game = await startServer({ arena: Slow });
  const room = await game.client().joinOrCreate("arena");
  const leaving = room.leave();
  const gone = await left.promise;
  await until("a slow onLeave", () => performance.timeOrigin + performance.now() > gone + 20);
  slowly.resolve();
  await leaving;
  await ended(game);
  const accepted = startOf(game.recorded.one("room.join arena"));
  for (const name of ["session.started", "session.phase.in_game", "session.lifecycle"]) {
    expect(startOf(game.recorded.one(name))).toBeCloseTo(accepted, 3);
  }
  expect(durationOf(game.recorded.one("session.started"))).toBe(0);
  for (const name of ["session.phase.in_game", "session.lifecycle"]) {
    expect(startOf(game.recorded.one(name)) + durationOf(game.recorded.one(name))).toBeLessThanOrEqual(gone + 5);
  }
});

test("shutdown() ends what is open, once: the session, the join and the hook that runs", async () => {
  const entered = Promise.withResolvers<void>();
  const failing = Promise.withResolvers<void>();
  class Slow extends Room {
    override onJoin() {
      entered.resolve();
      return failing.promise;
    }
  }
  await using game = await startServer({ arena: Slow });
  const joining = game.client().joinOrCreate("arena");
  await entered.promise;
  const flushed = Promise.withResolvers<void>();
  game.recorded.tracerProvider.forceFlush = async () => flushed.promise;
  const stopped = game.telemetry.shutdown();
  failing.reject(new Error("too late"));
  await expect(joining).rejects.toThrow("too late");
  flushed.resolve();
  await stopped;
  expect(game.recorded.one("session.lifecycle").attributes["session.end_reason"]).toBe("telemetry_shutdown");
  for (const name of ["room.join arena", "room.on_join arena"]) {
    expect(game.recorded.one(name).attributes["error.type"]).toBe("interrupted");
  }
});

test("a player whose room ends in the very moment of the join leaves no phase and no count behind", async () => {
  await using game = await startServer({ arena: class extends Room {} });
  matchMaker.getHandler("arena").on("join", (room: Room) => void room.disconnect());
  await game
    .client()
    .joinOrCreate("arena")
    .catch(() => {});
  await ended(game);
  await until("zero", async () => (await game.recorded.points("game.sessions"))["phase=in_game"] === 0);
  expect(game.recorded.named("session.phase.in_game")).toHaveLength(1);
  expect(await game.recorded.points("colyseus.clients")).toEqual({ "room=arena": 0 });
});

test("a join whose onJoin never returns ends at the latest with its room", async () => {
  await using game = await startServer({ arena: Arena });
  const entered = Promise.withResolvers<void>();
  class Stuck extends Room {
    override onJoin() {
      entered.resolve();
      return new Promise<void>(() => {});
    }
  }
  game.server.define("stuck", Stuck);
  void game
    .client()
    .joinOrCreate("stuck")
    .catch(() => {});
  await entered.promise;
  const [stuck] = await matchMaker.query({ name: "stuck" });
  await roomOf(stuck!.roomId).disconnect();
  expect(await ended(game)).toMatchObject({ reason: "join_failed", phase: undefined });
  for (const name of ["room.join stuck", "room.on_join stuck"]) {
    expect(game.recorded.one(name).attributes["error.type"]).toBe("interrupted");
  }
});

test("players who joined before the program registered its SDK are counted all the same", async () => {
  const recorded = recordTelemetry();
  await using game = await startServer(
    { arena: Arena },
    { tracerProvider: undefined as never, meterProvider: undefined as never },
    recorded,
  );
  const room = await game.client().joinOrCreate("arena");
  metrics.setGlobalMeterProvider(recorded.meterProvider);
  await until("the gauge", async () => (await recorded.points("colyseus.clients"))["room=arena"] === 1);
  await room.leave();
  await until("the leave", async () => (await recorded.points("colyseus.clients"))["room=arena"] === 0);
  metrics.disable();
});

test("100 players who come and go: every metric says what was played", async () => {
  class Duel extends Arena {
    override maxClients = 20;
  }
  await using game = await startServer({ arena: Duel });
  const rooms = await Promise.all(Array.from({ length: 100 }, () => game.client().joinOrCreate("arena")));
  const { points } = game.recorded;
  expect(await points("colyseus.clients")).toEqual({ "room=arena": 100 });
  expect(await points("game.sessions")).toEqual({ "phase=in_game": 100 });
  const made = (await points("colyseus.rooms"))["room=arena"];
  expect(made).toBeGreaterThanOrEqual(5);
  await Promise.all(rooms.map((room, index) => (index < 60 ? room.leave() : drop(room))));
  await until("the rooms' end", async () => (await points("colyseus.rooms"))["room=arena"] === 0);
  expect(await points("colyseus.clients")).toEqual({ "room=arena": 0 });
  expect(await points("game.sessions")).toEqual({ "phase=in_game": 0 });
  expect(await points("game.session.ends")).toEqual({ "end_reason=client_quit": 60, "end_reason=connection_lost": 40 });
  expect(await points("colyseus.joins")).toEqual({ "kind=new outcome=accepted room=arena": 100 });
  const counts = async (metric: string) =>
    Object.fromEntries(
      Object.entries(await points(metric)).map(([key, value]) => [key, (value as { count: number }).count]),
    );
  expect(await counts("game.session.duration")).toEqual({ "end_type=graceful": 60, "end_type=connection_failure": 40 });
  expect(await counts("game.session.phase.duration")).toEqual({ "phase=in_game": 100 });
  for (const metric of [
    "colyseus.client.duration",
    "colyseus.seat.wait.duration",
    "colyseus.join.duration",
    "colyseus.matchmake.duration",
  ]) {
    expect([metric, await counts(metric)]).toEqual([metric, { "room=arena": 100 }]);
  }
  expect(await counts("colyseus.room.lifetime")).toEqual({ "room=arena": made });
  for (const name of [
    "session.started",
    "session.lifecycle",
    "session.phase.in_game",
    "room.join arena",
    "room.on_leave arena",
  ]) {
    expect([name, game.recorded.named(name).length]).toEqual([name, 100]);
  }
  const sum = game.recorded
    .named("session.lifecycle")
    .reduce((total, { attributes }) => total + Number(attributes["session.duration_seconds"]), 0);
  const measured = Object.values(await points("game.session.duration")).reduce<number>(
    (total, value) => total + (value as { sum: number }).sum,
    0,
  );
  expect(measured).toBeCloseTo(sum, 3);
});
