import type { Client } from "@colyseus/core";
import type { Room as ClientRoom } from "@colyseus/sdk";
import { startSession } from "colyseus-otel/backend";
import { expect, test } from "vitest";
import { startCluster, type Cluster, type ClusterOptions, type DefineRoom } from "./_cluster.ts";
import { until } from "./_server.ts";
import { recordTelemetry } from "./_telemetry.ts";

const CALLER = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };

const arena: DefineRoom = (core) =>
  class Arena extends core.Room {
    static override async onAuth() {
      return Promise.resolve(true);
    }
    override onCreate() {}
    override onJoin() {}
    override onLeave() {}
  };

const forgiving: DefineRoom = (core) =>
  class Forgiving extends core.Room {
    override async onDrop(client: Client) {
      await this.allowReconnection(client, 10);
    }
    override onReconnect() {}
  };

async function leave(cluster: Cluster, room: ClientRoom) {
  await room.leave();
  const ended = () => [cluster.a, cluster.b].flatMap(({ recorded }) => recorded.named("session.lifecycle"));
  await until("the end of the session", () => ended().length === 1);
}

function traces({ a, b }: Cluster): Set<string> {
  const spans = [a, b].flatMap(({ recorded }) => recorded.spans());
  return new Set(spans.filter(({ name }) => !name.startsWith("gameserver.")).map((span) => span.spanContext().traceId));
}

test("a player who asks at A and plays at B is one trace, across both and on from the caller's", async () => {
  await using cluster = await startCluster({ arena });
  const room = await cluster.a.client().joinOrCreate("arena", CALLER);
  await leave(cluster, room);
  expect(cluster.played()).toMatchInlineSnapshot(`
    "<outside>
      a: matchmake arena
        a: room.auth arena
        b: room.create arena
        b: room.join arena
          b: room.on_join arena
      b: session.started
        b: session.phase.in_game
        b: session.lifecycle
        b: room.on_leave arena  ~> b: room.join arena"
  `);
  expect(traces(cluster)).toEqual(new Set(["0af7651916cd43dd8448eb211c80319c"]));
  expect(cluster.a.recorded.one("matchmake arena").attributes).toMatchObject({
    "colyseus.process.id": cluster.b.matchMaker.processId,
    "colyseus.room.id": room.roomId,
    "colyseus.session.id": room.sessionId,
  });
});

test("a player without a context has one trace across both, which begins where it asked", async () => {
  await using cluster = await startCluster({ arena });
  await leave(cluster, await cluster.a.client().joinOrCreate("arena"));
  expect(cluster.played()).toMatchInlineSnapshot(`
    "a: matchmake arena
      a: room.auth arena
      b: room.create arena
      b: session.started
        b: session.phase.in_game
        b: session.lifecycle
        b: room.on_leave arena  ~> b: room.join arena
      b: room.join arena
        b: room.on_join arena"
  `);
});

test("the session of a login goes on in B, dated back and without a session.started of its own", async () => {
  const { tracerProvider, meterProvider, one } = recordTelemetry();
  const player = { playerId: "ann-7", clientVersion: "1.4.2", platform: "windows" };
  const session = startSession({ ...player, tracerProvider, meterProvider });
  await using cluster = await startCluster({ arena });
  await leave(cluster, await cluster.a.client().joinOrCreate("arena", { ...session.carrier }));
  const login = one("session.started");
  expect(traces(cluster)).toEqual(new Set([login.spanContext().traceId]));
  expect(cluster.b.recorded.named("session.started")).toEqual([]);
  const lifecycle = cluster.b.recorded.one("session.lifecycle");
  expect(lifecycle.startTime).toEqual(login.startTime);
  expect(lifecycle.parentSpanContext?.spanId).toBe(login.spanContext().spanId);
  expect(lifecycle.attributes).toMatchObject({
    "session.id": session.id,
    "player.id": "ann-7",
    "client.version": "1.4.2",
    "client.platform": "windows",
    "session.matches_played": 1,
  });
  expect(cluster.b.recorded.one("room.join arena").attributes["session.id"]).toBe(session.id);
});

/** The player's network breaks; the room holds the seat. */
async function drop({ a, b }: Cluster, { roomId, sessionId }: ClientRoom) {
  const room = a.matchMaker.getLocalRoomById(roomId) ?? b.matchMaker.getLocalRoomById(roomId);
  const player = room.clients.find((one) => one.sessionId === sessionId)!;
  await until("the acknowledged join", () => player.state === a.core.ClientState.JOINED);
  (player.ref as unknown as { terminate(): void }).terminate();
  await until("the drop", () => room.clients.length === 0);
}

/** What a player may do; told the same, wherever the room is. */
const STORIES: Record<string, (cluster: Cluster) => Promise<ClientRoom>> = {
  "joinOrCreate with a context": async ({ a }) => a.client().joinOrCreate("arena", CALLER),
  "create without one": async ({ a }) => a.client().create("arena"),
  "create with a token alone": async ({ a }) =>
    a.client().create("arena", {
      "colyseus-otel": startSession({ playerId: "ann-7", tracerProvider: recordTelemetry().tracerProvider }).carrier[
        "colyseus-otel"
      ],
    }),
  "join of a room that is there": async ({ a }) => {
    await a.matchMaker.createRoom("arena", {});
    return a.client().join("arena", CALLER);
  },
  joinById: async ({ a }) => {
    const { roomId } = await a.matchMaker.createRoom("arena", {});
    return a.client().joinById(roomId, CALLER);
  },
  "a drop, and a return that asks at A": async (cluster) => {
    const room = await cluster.a.client().joinOrCreate("forgiving", CALLER);
    room.reconnection.enabled = false;
    await drop(cluster, room);
    return cluster.a.client().reconnect(room.reconnectionToken);
  },
  "a seat that server code reserves": async ({ a }) =>
    a.client().consumeSeatReservation(await a.matchMaker.joinOrCreate("forgiving", {})),
};

const COUNTS = [
  "colyseus.joins",
  "colyseus.seat.reservations",
  "colyseus.drops",
  "colyseus.reconnects",
  "game.session.ends",
  "colyseus.trace_context",
];

async function played(story: (cluster: Cluster) => Promise<ClientRoom>, options: ClusterOptions) {
  await using cluster = await startCluster({ arena, forgiving }, options);
  const room = await story(cluster);
  await leave(cluster, room);
  const counts = await Promise.all(COUNTS.map(async (metric) => [metric, await cluster.counted(metric)]));
  return { tree: cluster.played().replaceAll(/\b[ab]: /g, ""), traces: traces(cluster).size, counts };
}

test.each(Object.entries(STORIES))(
  "%s is told the same of a room of this process and of another's",
  async (_, story) => {
    const here = await played(story, { selectProcess: () => "a" });
    expect(await played(story, { selectProcess: () => "b" })).toEqual(here);
    expect(await played(story, { selectProcess: () => "b", onePresence: true })).toEqual(here);
  },
);
