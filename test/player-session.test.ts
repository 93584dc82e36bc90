import { Room, type Client } from "@colyseus/core";
import { expect, test } from "vitest";
import { sessionOf, type InstrumentOptions, type SessionCarrier } from "colyseus-otel";
import { roomOf, startServer, until, type TestServer } from "./_server.ts";
import { endOf, startOf } from "./_telemetry.ts";

class Lobby extends Room {}

class Arena extends Room {
  override onJoin(client: Client, { early }: { early?: boolean }): void {
    if (early) {
      const loading = sessionOf(client).phase("loading", { "loading.type": "initial" });
      sessionOf(client).event("assets", { cached: true });
      loading.end({ "loading.assets_count": 3 });
      sessionOf(client).match({ map: "dust2", mode: "ctf" });
    }
  }
}

const lobbies: NonNullable<InstrumentOptions["session"]> = {
  linger: 15_000,
  phaseOf: (room) => (room.roomName === "lobby" ? "matchmaking" : undefined),
};

async function join(game: TestServer, name: string, options?: object) {
  const room = await game.client().joinOrCreate(name, options);
  room.reconnection.enabled = false;
  const client = roomOf(room.roomId).clients.getById(room.sessionId)!;
  return { room, client };
}

test("lobby, match, lobby and quit by the carrier: one session with one match, whose end is told when it has lingered", async () => {
  await using game = await startServer({ lobby: Lobby, arena: Arena }, { session: { ...lobbies, linger: 60 } });
  const first = await join(game, "lobby");
  const carriers: SessionCarrier[] = [sessionOf(first.client).carrier()];
  const second = await join(game, "arena", { ...carriers[0] });
  await first.room.leave();
  carriers.push(sessionOf(second.client).carrier());
  await second.room.leave();
  const third = await join(game, "lobby", { ...carriers[1] });
  expect(sessionOf(third.client).id).toBe(sessionOf(first.client).id);
  await third.room.leave();
  const left = game.recorded.named("session.lifecycle").length;
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  expect(left).toBe(0);
  expect(game.played()).toMatchInlineSnapshot(`
    "matchmake lobby
      session.started
        session.phase.matchmaking
        session.lifecycle
        matchmake arena
          room.join arena
            room.on_join arena
        session.phase.in_game
        matchmake lobby
          room.join lobby
        session.phase.matchmaking
      room.join lobby"
  `);
  const lifecycle = game.recorded.one("session.lifecycle");
  expect(lifecycle.attributes).toMatchObject({
    "session.id": first.room.sessionId,
    "session.matches_played": 1,
    "session.end_reason": "client_quit",
    "session.end_phase": "matchmaking",
  });
  const phases = game.recorded.spans().filter(({ name }) => name.startsWith("session.phase."));
  expect(endOf(lifecycle)).toBe(endOf(phases.at(-1)!));
  expect(await game.recorded.points("colyseus.joins")).toEqual({
    "kind=new outcome=accepted room=lobby": 1,
    "kind=moved outcome=accepted room=arena": 1,
    "kind=moved outcome=accepted room=lobby": 1,
  });
});

test("a session whose carrier nobody asked for ends with its room, however long others linger", async () => {
  await using game = await startServer({ arena: Arena }, { session: lobbies });
  const { room } = await join(game, "arena");
  await room.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  expect(game.recorded.one("session.lifecycle").attributes).not.toHaveProperty(["session.leg"]);
});

test("a shutdown waits for nobody: sessions that linger end at once, and say which server's part they are", async () => {
  await using game = await startServer({ arena: Arena }, { session: lobbies });
  const { room, client } = await join(game, "arena");
  sessionOf(client).carrier();
  await room.leave();
  await until("the phase", () => game.recorded.named("session.phase.in_game").length === 1);
  expect(game.recorded.named("session.lifecycle")).toEqual([]);
  await game.server.gracefullyShutdown(false);
  expect(game.recorded.one("session.lifecycle").attributes).toMatchObject({
    "session.end_reason": "client_quit",
    "session.leg": 1,
  });
});

test("phases of the game's own follow each other without a gap, with all that the game says of them", async () => {
  await using game = await startServer({ arena: Arena });
  const { room, client } = await join(game, "arena");
  const session = sessionOf(client);
  session.match({ number: 7, map: "dust2", mode: "ctf" });
  session.event("first blood", { by: "ann" });
  const loading = session.phase("loading", { "loading.type": "map" });
  expect(await game.recorded.points("game.sessions")).toEqual({ "phase=in_game": 0, "phase=loading": 1 });
  loading.end({ "loading.assets_count": 12, "loading.total_size_mb": 34.5 });
  loading.end({ "loading.assets_count": 13 });
  session.result({ result: "won", score: 3 });
  await room.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  const phases = game.recorded.spans().filter(({ name }) => name.startsWith("session.phase."));
  const facts = phases.map(({ name, attributes }) => ({
    name,
    ...attributes,
    "session.id": undefined,
    "server.id": undefined,
  }));
  expect(facts).toMatchInlineSnapshot(`
    [
      {
        "game.map": "dust2",
        "game.mode": "ctf",
        "name": "session.phase.in_game",
        "phase.ended_by": "phase",
        "server.id": undefined,
        "session.id": undefined,
        "session.match_number": 7,
      },
      {
        "loading.assets_count": 12,
        "loading.total_size_mb": 34.5,
        "loading.type": "map",
        "name": "session.phase.loading",
        "phase.ended_by": "phase",
        "server.id": undefined,
        "session.id": undefined,
      },
      {
        "game.map": "dust2",
        "game.mode": "ctf",
        "game.result": "won",
        "game.score": 3,
        "name": "session.phase.in_game",
        "phase.ended_by": "leave",
        "server.id": undefined,
        "session.id": undefined,
        "session.match_number": 7,
      },
    ]
  `);
  expect(phases[0]?.events.map(({ name, attributes }) => [name, attributes])).toEqual([["first blood", { by: "ann" }]]);
  expect(startOf(phases[1]!)).toBe(endOf(phases[0]!));
  expect(startOf(phases[2]!)).toBe(endOf(phases[1]!));
  expect(await game.recorded.points("game.session.phase.duration")).toMatchObject({
    "phase=in_game": { count: 2 },
    "phase=loading": { count: 1 },
  });
});

test("what the game says in onJoin, before the join is confirmed, is told as well, and of a join that fails nothing", async () => {
  await using game = await startServer({ arena: Arena });
  const { room } = await join(game, "arena", { early: true });
  await room.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  const phases = game.recorded.spans().filter(({ name }) => name.startsWith("session.phase."));
  expect(phases.map(({ name }) => name)).toEqual([
    "session.phase.in_game",
    "session.phase.loading",
    "session.phase.in_game",
  ]);
  expect(phases[1]?.attributes).toMatchObject({ "loading.type": "initial", "loading.assets_count": 3 });
  expect(phases[1]?.events.map(({ name }) => name)).toEqual(["assets"]);
  expect(phases[2]?.attributes).toMatchObject({ "game.map": "dust2", "game.mode": "ctf" });
});

test("before the join is confirmed no more is kept than a phase has room for", async () => {
  class Chatty extends Room {
    override onJoin(client: Client) {
      for (let count = 0; count < 1000; count++) {
        sessionOf(client).event("tick");
      }
      sessionOf(client).phase("loading");
    }
  }
  await using game = await startServer({ arena: Chatty });
  const { room } = await join(game, "arena");
  await room.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  expect(game.recorded.one("session.phase.in_game").events).toHaveLength(128);
  expect(game.recorded.named("session.phase.loading")).toEqual([]);
});

test("a phase that is not known is a TypeError; at most 128 events are kept", async () => {
  await using game = await startServer({ arena: Arena });
  const { room, client } = await join(game, "arena");
  expect(() => sessionOf(client).phase("menu" as "loading")).toThrow(
    'sessionOf().phase must be "matchmaking" or "loading" or "in_game", got "menu"',
  );
  expect(() => sessionOf(client).match({ mpa: "dust2" } as object)).toThrow('unknown option "mpa"');
  for (let count = 0; count < 1000; count++) {
    sessionOf(client).event("shot");
  }
  await room.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  expect(game.recorded.one("session.phase.in_game").events).toHaveLength(128);
});
