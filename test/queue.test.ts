import { QueueRoom, Room, type Client, type matchMaker } from "@colyseus/core";
import { expect, test } from "vitest";
import { startServer, until, type TestServer } from "./_server.ts";
import { endOf } from "./_telemetry.ts";

class Arena extends Room {
  override onLeave(_client: Client, _code?: number): void | Promise<unknown> {}
}

class Queue extends QueueRoom {
  override maxPlayers = 1;
  override cycleTickInterval = 10;
  override onCreate() {
    super.onCreate({ matchRoomName: "arena" });
  }
}

/** A player in a queue, with the seat in the match room that the queue has made. */
async function queued(game: TestServer) {
  const queue = await game.client().joinOrCreate("queue", { rank: 1 });
  queue.onMessage("clients", () => {});
  const seat = await new Promise<matchMaker.ISeatReservation>((resolve) => {
    queue.onMessage("seat", resolve);
  });
  return { queue, seat };
}

test("a player who moves from a QueueRoom to its match is one session: matchmaking, then in_game", async () => {
  await using game = await startServer({ queue: Queue, arena: Arena });
  const { queue, seat } = await queued(game);
  const match = await game.client().consumeSeatReservation(seat);
  queue.send("confirm");
  await until("the queue's phase", () => game.recorded.named("session.phase.matchmaking").length === 1);
  expect(await game.recorded.points("game.sessions")).toEqual({ "phase=matchmaking": 0, "phase=in_game": 1 });
  await match.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  expect(game.played()).toMatchInlineSnapshot(`
    "matchmake queue
      room.create queue
      session.started
        session.phase.matchmaking
        session.lifecycle
        room.join arena
        session.phase.in_game
        room.on_leave arena  ~> room.join arena
      room.join queue
        room.on_join queue"
  `);
  expect(game.recorded.one("session.lifecycle").attributes).toMatchObject({
    "session.id": queue.sessionId,
    "session.end_reason": "client_quit",
    "session.end_phase": "in_game",
    "session.matches_played": 1,
  });
  expect(await game.recorded.points("colyseus.joins")).toEqual({
    "kind=new outcome=accepted room=queue": 1,
    "kind=moved outcome=accepted room=arena": 1,
  });
});

test("a player who leaves the queue and never takes the seat in its match ends as moved_on, when he left", async () => {
  class Hasty extends Arena {
    override seatReservationTimeout = 0.05;
  }
  await using game = await startServer({ queue: Queue, arena: Hasty });
  const { queue } = await queued(game);
  queue.send("confirm");
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  expect(game.recorded.one("session.lifecycle").attributes).toMatchObject({
    "session.end_reason": "moved_on",
    "session.end_phase": "matchmaking",
    "session.matches_played": 0,
  });
  const [phase] = game.recorded.named("session.phase.matchmaking");
  expect(endOf(game.recorded.one("session.lifecycle"))).toBe(endOf(phase!));
  expect(await game.recorded.points("colyseus.seat.reservations")).toEqual({
    "outcome=consumed room=queue": 1,
    "outcome=expired room=arena": 1,
  });
});
