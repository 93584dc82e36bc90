import { Room, type Client } from "@colyseus/core";
import type { Room as ClientRoom } from "@colyseus/sdk";
import { expect, test } from "vitest";
import { drop, dropAndReturn, roomOf, startServer, until, type TestServer } from "./_server.ts";
import { endOf, startOf } from "./_telemetry.ts";

class Arena extends Room {
  override onJoin() {}
  override onDrop(client: Client) {
    void this.allowReconnection(client, 20).catch(() => {});
  }
  override onReconnect(_client: Client): void {}
  override onLeave() {}
}

async function join(game: TestServer): Promise<ClientRoom> {
  const room = await game.client().joinOrCreate("arena");
  room.reconnection.enabled = false;
  return room;
}

test("a player who drops, returns and leaves is one session whose phases follow each other without a gap", async () => {
  await using game = await startServer({ arena: Arena });
  const room = await join(game);
  await dropAndReturn(room);
  await room.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  expect(game.played()).toMatchInlineSnapshot(`
    "matchmake arena
      session.started
        session.phase.in_game
        session.lifecycle
        session.phase.reconnecting
        room.on_drop arena  ~> room.join arena
        room.join arena  ~> room.join arena
        session.phase.in_game
        room.on_reconnect arena  ~> room.join arena
        room.on_leave arena  ~> room.join arena
      room.join arena
        room.on_join arena"
  `);
  const phases = game.recorded.spans().filter(({ name }) => name.startsWith("session.phase."));
  expect(phases.map(({ name, attributes }) => [name, attributes["phase.ended_by"]])).toEqual([
    ["session.phase.in_game", "drop"],
    ["session.phase.reconnecting", "return"],
    ["session.phase.in_game", "leave"],
  ]);
  const [first, gap, second] = phases;
  expect(startOf(gap!)).toBe(endOf(first!));
  expect(startOf(second!)).toBe(endOf(gap!));
  expect(endOf(second!)).toBe(endOf(game.recorded.one("session.lifecycle")));
  expect(game.recorded.one("session.lifecycle").attributes["session.matches_played"]).toBe(1);
});

test("a drop and a return are counted once each, and so is each socket's connection", async () => {
  await using game = await startServer({ arena: Arena });
  const { points } = game.recorded;
  const room = await join(game);
  await drop(room);
  const held = { "phase=in_game": 0, "phase=reconnecting": 1 };
  await until("the held seat", async () => (await points("game.sessions"))["phase=reconnecting"] === 1);
  expect(await points("game.sessions")).toEqual(held);
  expect(await points("colyseus.clients")).toEqual({ "room=arena": 0 });
  expect(await points("colyseus.drops")).toEqual({ "outcome=held room=arena": 1 });
  expect(await points("colyseus.reconnects")).toEqual({});

  const back = await game.client().reconnect(room.reconnectionToken);
  back.reconnection.enabled = false;
  expect(await points("game.sessions")).toEqual({ "phase=in_game": 1, "phase=reconnecting": 0 });
  expect(await points("colyseus.clients")).toEqual({ "room=arena": 1 });
  await back.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  expect(await points("colyseus.drops")).toEqual({ "outcome=held room=arena": 1 });
  expect(await points("colyseus.reconnects")).toEqual({ "outcome=returned room=arena": 1 });
  expect(await points("colyseus.joins")).toEqual({
    "kind=new outcome=accepted room=arena": 1,
    "kind=reconnect outcome=accepted room=arena": 1,
  });
  expect(await points("colyseus.client.duration")).toMatchObject({ "room=arena": { count: 2 } });
  expect(await points("colyseus.reconnect.gap")).toMatchObject({ "room=arena": { count: 1 } });
  expect(await points("colyseus.seat.reservations")).toEqual({ "outcome=consumed room=arena": 1 });
  expect(await points("colyseus.clients")).toEqual({ "room=arena": 0 });
});

class Refusing extends Arena {
  override onReconnect() {
    throw new Error("too late");
  }
}

class Impatient extends Arena {
  override onDrop(client: Client) {
    void this.allowReconnection(client, 0.05).catch(() => {});
  }
}

class Dismissive extends Arena {
  override onReconnect(client: Client) {
    client.leave(4321);
  }
}

class Lasting extends Arena {
  override autoDispose = false;
}

test.each<[string, typeof Arena, (game: TestServer, room: ClientRoom) => unknown, object, object]>([
  ["a window that passes", Impatient, () => {}, { "outcome=held room=arena": 1 }, { "outcome=expired room=arena": 1 }],
  [
    "a return that onReconnect refuses",
    Refusing,
    (game, room) =>
      game
        .client()
        .reconnect(room.reconnectionToken)
        .catch(() => {}),
    { "outcome=held room=arena": 1 },
    { "outcome=refused room=arena": 1 },
  ],
  [
    "a player whom the game sends away in onReconnect",
    Dismissive,
    (game, room) =>
      game
        .client()
        .reconnect(room.reconnectionToken)
        .catch(() => {}),
    { "outcome=held room=arena": 1 },
    { "outcome=refused room=arena": 1 },
  ],
  [
    "a room that ends meanwhile",
    Lasting,
    (_game, room) => roomOf(room.roomId).disconnect(),
    { "outcome=held room=arena": 1 },
    { "outcome=abandoned room=arena": 1 },
  ],
])("%s is counted as how the held seat came out, once", async (_name, klass, then, drops, reconnects) => {
  await using game = await startServer({ arena: klass });
  const { points } = game.recorded;
  const room = await join(game);
  await drop(room);
  await until("the held seat", async () => (await points("colyseus.drops"))["outcome=held room=arena"] === 1);
  await then(game, room);
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  expect(await points("colyseus.drops")).toEqual(drops);
  expect(await points("colyseus.reconnects")).toEqual(reconnects);
  expect(await points("game.sessions")).toEqual({ "phase=in_game": 0, "phase=reconnecting": 0 });
  expect(await points("colyseus.clients")).toEqual({ "room=arena": 0 });
  expect(await points("colyseus.client.duration")).toMatchObject({ "room=arena": { count: 1 } });
});

test("a connection that breaks in a room that holds no seats is a lost drop; a kick and a leave are none", async () => {
  await using game = await startServer({ arena: class extends Room {} });
  const [lost, kicked, gone] = [await join(game), await join(game), await join(game)];
  await drop(lost);
  roomOf(kicked.roomId).clients.getById(kicked.sessionId)!.leave(4321);
  await gone.leave();
  await until("the ends", () => game.recorded.named("session.lifecycle").length === 3);
  expect(await game.recorded.points("colyseus.drops")).toEqual({ "outcome=lost room=arena": 1 });
  expect(await game.recorded.points("colyseus.reconnects")).toEqual({});
});

test("a token that is wrong brings nobody back, and the seat stays held", async () => {
  await using game = await startServer({ arena: Arena });
  const room = await join(game);
  await drop(room);
  await until("the drop", async () => (await game.recorded.points("colyseus.drops"))["outcome=held room=arena"] === 1);
  await expect(game.client().reconnect(`${room.roomId}:wrong`)).rejects.toThrow("expired");
  expect(await game.recorded.points("game.sessions")).toMatchObject({ "phase=reconnecting": 1 });
  expect(await game.recorded.points("colyseus.joins")).toMatchObject({ "kind=reconnect outcome=error room=arena": 1 });
  expect(await game.recorded.points("colyseus.seat.reservations")).toEqual({ "outcome=consumed room=arena": 1 });
  await game.client().reconnect(room.reconnectionToken);
  expect(await game.recorded.points("colyseus.reconnects")).toEqual({ "outcome=returned room=arena": 1 });
});
