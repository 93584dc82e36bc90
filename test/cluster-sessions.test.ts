import type { Room as ClientRoom } from "@colyseus/sdk";
import { startSession } from "colyseus-otel/backend";
import { expect, test, vi } from "vitest";
import { startCluster, type Cluster, type ClusterProcess, type DefineRoom } from "./_cluster.ts";
import { until } from "./_server.ts";
import { endOf, recordTelemetry } from "./_telemetry.ts";

const LINGER = 120;
const plain: DefineRoom = (core) => class extends core.Room {};
const rooms = { lobby: plain, arena: plain };
const session = {
  linger: LINGER,
  phaseOf: (room: { roomName: string }) => (room.roomName === "lobby" ? "matchmaking" : undefined),
} as const;

/** Lobbies in A, arenas in B. */
const start = () => startCluster(rooms, { session, selectProcess: (name) => (name === "lobby" ? "a" : "b") });

async function join({ a }: Cluster, name: string, options?: object): Promise<ClientRoom> {
  const room = await a.client().joinOrCreate(name, { ...options });
  room.reconnection.enabled = false;
  return room;
}

function carrier({ matchMaker, sessionOf }: ClusterProcess, { roomId, sessionId }: ClientRoom) {
  return sessionOf(matchMaker.getLocalRoomById(roomId).clients.getById(sessionId)!).carrier();
}

const ends = ({ a, b }: Cluster) => [a, b].flatMap(({ recorded }) => recorded.named("session.lifecycle"));
const idle = async (ms: number) => {
  const then = performance.now();
  await until("the linger", () => performance.now() - then > ms);
};

test("lobby, match in another process, lobby again and quit: one session, told once by the last process, with one match", async () => {
  await using cluster = await start();
  const { a, b } = cluster;
  const lobby = await join(cluster, "lobby");
  const match = await join(cluster, "arena", carrier(a, lobby));
  await lobby.leave();
  const again = await join(cluster, "lobby", carrier(b, match));
  await match.leave();
  await idle(3 * LINGER);
  expect(ends(cluster).length).toBe(0);
  await again.leave();
  await until("the end", () => ends(cluster).length > 0);
  expect(cluster.played()).toMatchInlineSnapshot(`
    "a: matchmake lobby
      a: session.started
        a: session.phase.matchmaking
        a: session.lifecycle
        a: matchmake arena
          b: room.join arena
        b: session.phase.in_game
        a: matchmake lobby
          a: room.join lobby
        a: session.phase.matchmaking
      a: room.join lobby"
  `);
  expect(ends(cluster).map(({ attributes }) => attributes)).toEqual([
    expect.objectContaining({
      "session.id": lobby.sessionId,
      "session.matches_played": 1,
      "session.end_reason": "client_quit",
      "session.end_phase": "matchmaking",
    }),
  ]);
  expect(ends(cluster)[0]!.attributes).not.toHaveProperty(["session.leg"]);
  const left = [a, b].flatMap(({ recorded }) => recorded.named("session.phase.matchmaking")).map(endOf);
  expect(endOf(ends(cluster)[0]!)).toBe(Math.max(...left));
});

test("a process that dies with the player in it takes the end along: nobody tells a second one, nothing is invented", async () => {
  await using cluster = await start();
  const { a } = cluster;
  const lobby = await join(cluster, "lobby");
  const match = await join(cluster, "arena", carrier(a, lobby));
  await lobby.leave();
  // As SIGKILL: B says no more. What it last said is that the player is there.
  await idle(3 * LINGER);
  expect(ends(cluster).length).toBe(0);
  match.connection.close();
});

test("a seat in the other process, claimed within the linger, goes on; two leaves at once are one end", async () => {
  await using cluster = await start();
  const { a, b } = cluster;
  const lobby = await join(cluster, "lobby");
  const match = await join(cluster, "arena", carrier(a, lobby));
  await Promise.all([lobby.leave(), match.leave()]);
  await until("the end", () => ends(cluster).length > 0);
  await idle(3 * LINGER);
  expect(ends(cluster).length).toBe(1);
  expect(ends(cluster)[0]!.attributes).toMatchObject({ "session.matches_played": 1, "session.id": lobby.sessionId });
  expect(await b.presence.hgetall(`colyseus-otel:session:${lobby.sessionId}`)).toEqual({});
});

test("a session that its service ends is ended by no server, and leaves nothing in the presence", async () => {
  await using cluster = await start();
  const { tracerProvider, meterProvider } = recordTelemetry();
  const login = startSession({ playerId: "ann", end: "service", tracerProvider, meterProvider });
  const match = await join(cluster, "arena", login.carrier);
  await match.leave();
  await idle(3 * LINGER);
  expect(ends(cluster).length).toBe(0);
  expect(await cluster.b.presence.hgetall(`colyseus-otel:session:${login.id}`)).toEqual({});
});

test("a presence that does not answer is said, and the end is told all the same", async () => {
  const warned = vi.spyOn(console, "warn").mockReturnValue();
  await using cluster = await start();
  cluster.a.presence.hgetall = () => Promise.reject(new Error("Connection is closed."));
  const lobby = await join(cluster, "lobby");
  carrier(cluster.a, lobby);
  await lobby.leave();
  await until("the end", () => ends(cluster).length === 1);
  expect(warned.mock.calls.join("\n")).toContain("the presence does not say where a session was last");
  warned.mockRestore();
});

test("a match that began before the token was out is one of the session's matches", async () => {
  await using cluster = await start();
  const { a, b } = cluster;
  const first = await join(cluster, "arena");
  const second = await join(cluster, "arena", carrier(b, first));
  await Promise.all([first.leave(), second.leave()]);
  await until("the end", () => ends(cluster).length > 0);
  expect(ends(cluster)[0]!.attributes).toMatchObject({ "session.id": first.sessionId, "session.matches_played": 2 });
  expect(await a.presence.hgetall(`colyseus-otel:session:${first.sessionId}`)).toEqual({});
});

test("a carrier that is asked for when the session has ended leaves nothing in the presence", async () => {
  await using cluster = await start();
  const { matchMaker, presence, sessionOf } = cluster.b;
  const match = await join(cluster, "arena");
  const client = matchMaker.getLocalRoomById(match.roomId).clients.getById(match.sessionId)!;
  await match.leave();
  await until("the end", () => ends(cluster).length > 0);
  expect(sessionOf(client).carrier()["colyseus-otel"]).toContain(match.sessionId);
  expect(await presence.hgetall(`colyseus-otel:session:${match.sessionId}`)).toEqual({});
});

test("a session that comes back and leaves again while the store is asked lingers anew", async () => {
  await using cluster = await start();
  const { a } = cluster;
  const asking = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const ask = a.presence.hgetall.bind(a.presence);
  a.presence.hgetall = async (key) => {
    asking.resolve();
    await answer.promise;
    return ask(key);
  };
  const first = await join(cluster, "lobby");
  const token = carrier(a, first);
  await first.leave();
  await asking.promise;
  await (await join(cluster, "lobby", token)).leave();
  await until("the second leave", () => a.recorded.named("session.phase.matchmaking").length === 2);
  answer.resolve();
  const third = await join(cluster, "lobby", token);
  await idle(2 * LINGER);
  expect(ends(cluster)).toEqual([]);
  await third.leave();
  await until("the end", () => ends(cluster).length > 0);
  await idle(2 * LINGER);
  expect(ends(cluster).length).toBe(1);
});
