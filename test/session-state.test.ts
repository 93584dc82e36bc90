import { ClientState, matchMaker, Room, type Client } from "@colyseus/core";
import type { Room as ClientRoom } from "@colyseus/sdk";
import { expect, test, vi } from "vitest";
import type { Registry } from "../src/sessions/registry.ts";
import { drop, dropAndReturn, roomOf, startServer, until } from "./_server.ts";

// What nobody sees from outside: the state that must not grow.
const inside = vi.hoisted(() => ({ registry: undefined as Registry | undefined }));
vi.mock(import("../src/sessions/registry.ts"), async (original) => {
  const { createRegistry } = await original();
  return { createRegistry: (now) => (inside.registry = createRegistry(now)) };
});

const entered = vi.fn();

class Arena extends Room {}

class Held extends Room {
  override onDrop(client: Client) {
    this.allowReconnection(client, 20).catch(() => {});
  }
}

class Stuck extends Room {
  override onJoin() {
    entered();
    return new Promise<void>(() => {});
  }
}

async function comeBack(room: ClientRoom): Promise<void> {
  await dropAndReturn(room);
  await until("the return", () => roomOf(room.roomId).clients.getById(room.sessionId)?.state === ClientState.JOINED);
  expect(inside.registry?.open.size).toBe(1);
  await room.leave();
}

test.each<[string, typeof Arena, (room: ClientRoom) => unknown]>([
  ["leaves", Arena, (room) => room.leave()],
  ["is dropped", Arena, drop],
  ["is dropped, comes back and leaves", Held, comeBack],
  ["is put out with everybody", Arena, ({ roomId }) => roomOf(roomId).disconnect()],
])("nothing stays of a player who %s", async (_what, klass, departure) => {
  await using game = await startServer({ arena: klass });
  const room = await game.client().joinOrCreate("arena");
  expect(inside.registry?.open.size).toBe(1);
  await departure(room);
  await until("the end of the session", () => game.recorded.named("session.lifecycle").length === 1);
  expect(inside.registry?.open.size).toBe(0);
});

test("nothing stays of a player whose room ends in the very moment of the join", async () => {
  await using game = await startServer({ arena: Arena });
  matchMaker.getHandler("arena").on("join", (room: Room) => void room.disconnect());
  await game
    .client()
    .joinOrCreate("arena")
    .catch(() => {});
  await until("the end of the session", () => game.recorded.named("session.lifecycle").length === 1);
  expect(inside.registry?.open.size).toBe(0);
});

test("nothing stays of a player whose onJoin never returns, once the room is gone", async () => {
  await using game = await startServer({ stuck: Stuck });
  void game
    .client()
    .joinOrCreate("stuck")
    .catch(() => {});
  await until("the hook", () => entered.mock.calls.length > 0);
  expect(inside.registry?.open.size).toBe(1);
  const [stuck] = await matchMaker.query({ name: "stuck" });
  await roomOf(stuck!.roomId).disconnect();
  await until("the end of the session", () => game.recorded.named("session.lifecycle").length === 1);
  expect(inside.registry?.open.size).toBe(0);
});

test("nothing stays of 100 players who come and go", async () => {
  await using game = await startServer({ arena: Arena });
  const rooms = await Promise.all(Array.from({ length: 100 }, () => game.client().joinOrCreate("arena")));
  expect(inside.registry?.open.size).toBe(100);
  await Promise.all(rooms.map((room, index) => (index < 60 ? room.leave() : drop(room))));
  await until("their ends", () => game.recorded.named("session.lifecycle").length === 100);
  expect(inside.registry?.open.size).toBe(0);
});

test("a seat that the room refuses is not kept", async () => {
  class Cinema extends Room {
    override autoDispose = false;
    override maxClients = 0;
  }
  await using game = await startServer({ arena: Cinema });
  await game.request("create", "arena");
  const [listing] = await matchMaker.query({ name: "arena" });
  expect(inside.registry!.of(roomOf(listing!.roomId)).seats.size).toBe(0);
});

test("seats that nobody claims are counted as expired and forgotten, each once", async () => {
  class Arena extends Room {
    override autoDispose = false;
    override seatReservationTimeout = 0.02;
  }
  await using game = await startServer({ arena: Arena });
  const { body } = await game.request("create", "arena");
  const { seats } = inside.registry!.of(roomOf(body.roomId));
  for (let wave = 0; wave < 5; wave++) {
    await Promise.all(Array.from({ length: 20 }, () => game.request("joinById", body.roomId)));
  }
  await until("the last expiry", () => seats.size === 0);
  expect(await game.recorded.points("colyseus.seat.reservations")).toEqual({ "outcome=expired room=arena": 101 });
  expect(inside.registry?.open.size).toBe(0);
});
