import { matchMaker, Room } from "@colyseus/core";
import { AsyncResource } from "node:async_hooks";
import { expect, test } from "vitest";
import { roomOf, startServer, until, type TestServer } from "./_server.ts";

class Arena extends Room {
  override autoDispose = false;
}

async function joins(game: TestServer) {
  return game.recorded.points("colyseus.joins");
}

test.each(["joinOrCreate", "create", "join", "joinById"] as const)(
  "%s is a request with its method, room and seat",
  async (method) => {
    await using game = await startServer({ arena: Arena });
    const { roomId } = await matchMaker.createRoom("arena", {});
    game.recorded.reset();
    const room = await game.client()[method](method === "joinById" ? roomId : "arena");
    await until("the join", () => game.recorded.named("room.join arena").length === 1);
    expect(game.recorded.one("matchmake arena").attributes).toEqual({
      "colyseus.matchmake.method": method,
      "colyseus.room.name": "arena",
      "colyseus.room.id": room.roomId,
      "colyseus.session.id": room.sessionId,
      "colyseus.process.id": matchMaker.processId,
    });
    expect(await joins(game)).toEqual({ "kind=new outcome=accepted room=arena": 1 });
  },
);

test.each([
  ["joinOrCreate", "no-such-room", "no_handler"],
  ["joinOrCreate", "__proto__", "no_handler"],
  ["create", "constructor", "no_handler"],
  ["join", "toString", "no_handler"],
  ["joinById", "no-such-id", "invalid_room"],
  ["joinById", "hasOwnProperty", "invalid_room"],
  ["reconnect", "no-such-id", "invalid_room"],
  ["createRoom", "no-such-room", "no_handler"],
])("%s of %s, which nobody defined, becomes no span name and no label", async (method, name, errorType) => {
  await using game = await startServer({ arena: Arena });
  const { status } = await game.request(method, name);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(game.played()).toBe(`matchmake  error.type=${errorType}`);
  expect(JSON.stringify(game.recorded.one("matchmake").attributes)).not.toContain(name);
  const kind = method === "reconnect" ? "reconnect" : "new";
  expect(await joins(game)).toEqual({ [`kind=${kind} outcome=error`]: 1 });
  expect(await game.recorded.points("colyseus.matchmake.duration")).toHaveProperty([`error.type=${errorType}`]);
});

test("a request that found a seat at its second try was not refused", async () => {
  class Duel extends Arena {
    override maxClients = 1;
  }
  await using game = await startServer({ arena: Duel });
  const { body } = await game.request("create", "arena");
  const room = roomOf(body.roomId);
  await room.unlock();
  const reserve = room["_reserveSeat"].bind(room) as (...args: unknown[]) => Promise<boolean>;
  Object.assign(room, {
    _reserveSeat: async (...args: unknown[]) => {
      const reserved = await reserve(...args);
      room.maxClients = 2;
      return reserved;
    },
  });
  expect((await game.request("joinOrCreate", "arena")).status).toBe(200);
  expect(game.recorded.named("matchmake arena").map(({ attributes }) => attributes["error.type"])).toEqual([
    undefined,
    undefined,
  ]);
  expect(await joins(game)).toEqual({});
});

test("a room that server code makes and fills without a request is a trace of its own", async () => {
  class Match extends Arena {
    override onCreate() {}
    override onJoin() {}
  }
  await using game = await startServer({ arena: Match });
  await matchMaker.createRoom("arena", {});
  const seat = await matchMaker.joinOrCreate("arena", {});
  await game.client().consumeSeatReservation(seat);
  await until("the join", () => game.recorded.named("room.join arena").length === 1);
  expect(game.played()).toMatchInlineSnapshot(`
    "room.create arena
    session.started
    room.join arena
      room.on_join arena"
  `);
});

test("server code that makes a room inside a span of the game has it under that span", async () => {
  class Match extends Arena {
    override onCreate() {}
  }
  await using game = await startServer({ arena: Match });
  await game.recorded.tracerProvider.getTracer("game").startActiveSpan("nightly tournament", async (span) => {
    await matchMaker.createRoom("arena", {});
    span.end();
  });
  expect(game.played()).toBe("nightly tournament\n  room.create arena");
});

test("a seat that a timer of the room reserves later is not the session of the player whose request made the room", async () => {
  let reserve = async (): Promise<matchMaker.ISeatReservation> => Promise.reject(new Error("too early"));
  class Match extends Arena {
    override onCreate() {
      const later = AsyncResource.bind(async () => matchMaker.joinOrCreate("arena", {}));
      reserve = later;
    }
  }
  await using game = await startServer({ arena: Match });
  const first = await game
    .client()
    .create("arena", { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });
  const second = await game.client().consumeSeatReservation(await reserve());
  const parents = game.recorded
    .named("session.started")
    .map((span) => [span.attributes["session.id"], span.parentSpanContext?.spanId]);
  expect(parents).toContainEqual([first.sessionId, "b7ad6b7169203331"]);
  expect(parents).toContainEqual([second.sessionId, game.recorded.one("room.create arena").spanContext().spanId]);
});
