import type { matchMaker } from "@colyseus/core";
import type { Room as ClientRoom } from "@colyseus/sdk";
import { expect, test } from "vitest";
import { startCluster, type Cluster, type ClusterOptions, type DefineRoom } from "./_cluster.ts";
import { until } from "./_server.ts";

const PLAYERS = ["1", "2"].map((digit) => digit.repeat(32));

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

test("a match that a queue of another process has filled is in the trace of each of its players", async () => {
  const selectProcess: ClusterOptions["selectProcess"] = (room) => (room === "queue" ? "a" : "b");
  await using cluster = await startCluster({ queue, match }, { selectProcess });
  const waiting = [await queued(cluster, PLAYERS[0]!), await queued(cluster, PLAYERS[1]!)];
  const playing = await Promise.all(waiting.map(async (room) => moved(cluster, room)));
  await until("the queue to be empty", async () => (await cluster.counted("game.sessions"))["phase=matchmaking"] === 0);
  await Promise.all(playing.map(async (room) => room.leave()));
  await until("the matches' ends", () => cluster.b.recorded.named("session.lifecycle").length === PLAYERS.length);
  for (const tree of PLAYERS.map((traceId) => cluster.played(traceId))) {
    expect(tree).toContain("a: room.join queue");
    expect(tree).toContain("b: room.join match");
  }
  expect(await cluster.counted("colyseus.joins")).toEqual({
    "kind=new outcome=accepted room=queue": PLAYERS.length,
    "kind=moved outcome=accepted room=match": PLAYERS.length,
  });
});
