import type { matchMaker } from "@colyseus/core";
import type { Room as ClientRoom } from "@colyseus/sdk";
import { expect, test } from "vitest";
import { startCluster, type Cluster, type ClusterOptions, type DefineRoom } from "./_cluster.ts";
import { until } from "./_server.ts";

const PLAYERS = ["1", "2"].map((digit) => digit.repeat(32));
const COUNTS = ["colyseus.joins", "colyseus.seat.reservations", "game.session.ends", "game.sessions"];

const queue: DefineRoom = (core) =>
  class Queue extends core.QueueRoom {
    override maxPlayers = PLAYERS.length;
    override cycleTickInterval = 10;
    override matchRoomName = "match";
    override onCreate() {
      super.onCreate({ matchRoomName: "match" });
    }
  };

const match: DefineRoom = (core) =>
  class Match extends core.Room {
    override onCreate() {}
  };

async function queued({ a }: Cluster, traceId: string): Promise<ClientRoom> {
  const room = await a.client().joinOrCreate("queue", { rank: 1, traceparent: `00-${traceId}-b7ad6b7169203331-01` });
  room.onMessage("clients", () => {});
  return room;
}

/** The queue's answer, the match's socket, then the farewell to the queue, as the SDK's documentation has it. */
async function moved({ a }: Cluster, waiting: ClientRoom): Promise<ClientRoom> {
  const seat = await new Promise<matchMaker.ISeatReservation>((resolve) => {
    waiting.onMessage("seat", resolve);
  });
  const room = await a.client().consumeSeatReservation(seat);
  waiting.send("confirm");
  return room;
}

async function played(options: ClusterOptions) {
  await using cluster = await startCluster({ queue, match }, options);
  const { a, b } = cluster;
  const waiting = [await queued(cluster, PLAYERS[0]!), await queued(cluster, PLAYERS[1]!)];
  const playing = await Promise.all(waiting.map(async (room) => moved(cluster, room)));
  await until("the queue to be empty", async () => (await cluster.counted("game.sessions"))["phase=matchmaking"] === 0);
  await Promise.all(playing.map(async (room) => room.leave()));
  const ends = () => [a, b].flatMap(({ recorded }) => recorded.named("session.lifecycle"));
  await until("the sessions' ends", () => ends().length >= PLAYERS.length);
  return {
    trees: PLAYERS.map((traceId) => cluster.played(traceId).replaceAll(/\b[ab]: /g, "")),
    sessions: ends().map(({ attributes }) => [attributes["session.matches_played"], attributes["session.end_reason"]]),
    counts: await Promise.all(COUNTS.map(async (metric) => [metric, await cluster.counted(metric)])),
  };
}

const apart: ClusterOptions = { selectProcess: (room) => (room === "queue" ? "a" : "b") };

test("a match that a queue of another process has filled is in the trace of each of its players", async () => {
  const { trees } = await played(apart);
  for (const tree of trees) {
    expect(tree).toContain("room.join queue");
    expect(tree).toContain("room.join match");
  }
});

test("players whose queue is in A and whose match is in B are told as players of one process", async () => {
  const here = await played({ selectProcess: () => "a" });
  expect(here.sessions).toEqual(PLAYERS.map(() => [1, "client_quit"]));
  expect(await played(apart)).toEqual(here);
});
