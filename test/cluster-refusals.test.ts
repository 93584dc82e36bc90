import { afterEach, expect, test, vi } from "vitest";
import { startCluster, type Cluster, type DefineRoom } from "./_cluster.ts";
import { requestOf, tries, withoutDelays } from "./_requests.ts";

afterEach(() => vi.restoreAllMocks());

const duel: DefineRoom = (core) =>
  class extends core.Room {
    override maxClients = 1;
  };

/** The room has its one player, and the game has unlocked it: only the room itself knows that it is full. */
async function fill({ a, b, wire }: Cluster): Promise<string> {
  const { body } = await a.request("create", "duel");
  await b.matchMaker.getLocalRoomById(body.roomId).unlock();
  a.recorded.reset();
  b.recorded.reset();
  wire.said.length = 0;
  return body.roomId;
}

test("a room of B that is full is told at A as room_full, and six tries of one request count once of both", async () => {
  await using cluster = await startCluster({ duel });
  const roomId = await fill(cluster);
  withoutDelays();
  const { body } = await cluster.a.request("joinOrCreate", "duel");
  expect(body.error).toBe(`${roomId} is already full.`);
  expect(tries(cluster)).toBe(6);
  expect(requestOf(cluster, "duel")).toEqual(["room_full", 0]);
  expect(await cluster.counted("colyseus.seat.reservations")).toEqual({ "outcome=refused_full room=duel": 1 });
  expect(await cluster.counted("colyseus.joins")).toEqual({ "kind=new outcome=refused_full room=duel": 1 });
  expect(await cluster.b.recorded.points("colyseus.joins")).toEqual({});
});

test("a full room that was asked for by its id is told with its type, as where it runs", async () => {
  await using cluster = await startCluster({ duel });
  const roomId = await fill(cluster);
  for (const process of [cluster.b, cluster.a]) {
    await process.request("joinById", roomId);
    expect(process.recorded.one("matchmake duel").attributes["error.type"]).toBe("room_full");
  }
  expect(await cluster.counted("colyseus.joins")).toEqual({ "kind=new outcome=refused_full room=duel": 2 });
});

test("a full room of a process without the plugin is told as room_full too", async () => {
  await using cluster = await startCluster({ duel }, { plain: "b" });
  await fill(cluster);
  withoutDelays();
  await cluster.a.request("joinOrCreate", "duel");
  expect(requestOf(cluster, "duel")).toEqual(["room_full", 0]);
  expect(await cluster.counted("colyseus.seat.reservations")).toEqual({ "outcome=refused_full room=duel": 1 });
});

test("a first try that met a full room, and a second whose onCreate failed: the last one counts", async () => {
  let broken = false;
  const failing: DefineRoom = (core) =>
    class extends core.Room {
      override maxClients = 1;
      override onCreate() {
        if (broken) {
          throw new Error("no map");
        }
      }
      /** The second try finds no room. */
      override hasReachedMaxClients() {
        void this.lock();
        return super.hasReachedMaxClients();
      }
    };
  await using cluster = await startCluster({ duel: failing });
  await fill(cluster);
  broken = true;
  withoutDelays();
  await cluster.a.request("joinOrCreate", "duel");
  expect(cluster.b.recorded.named("room.create duel")).toHaveLength(1);
  expect(requestOf(cluster, "duel")).toEqual(["unhandled", 2]);
});

test("server code in A that a full room of B refuses is counted once, by the room", async () => {
  await using cluster = await startCluster({ duel });
  const roomId = await fill(cluster);
  await expect(cluster.a.matchMaker.joinById(roomId, {})).rejects.toThrow("already full");
  expect(await cluster.b.recorded.points("colyseus.seat.reservations")).toEqual({
    "outcome=refused_full room=duel": 1,
  });
  expect(await cluster.a.recorded.points("colyseus.seat.reservations")).toEqual({});
  expect(await cluster.counted("colyseus.joins")).toEqual({});
});

test("a room that is locked because it is full is told as room_full at A, as where it runs", async () => {
  await using cluster = await startCluster({ duel });
  const { body } = await cluster.a.request("create", "duel");
  for (const process of [cluster.a, cluster.b]) {
    process.recorded.reset();
    await process.request("joinById", body.roomId);
    expect(process.recorded.one("matchmake duel").attributes["error.type"]).toBe("room_full");
  }
});

test.each([
  ["a ServerError of the game", "ServerError", ["refused", 0]],
  ["any other error", "Error", ["unhandled", 2]],
] as const)(
  "an onCreate in B that throws %s is told of the request at A as in one process",
  async (_name, kind, told) => {
    const failing: DefineRoom = (core) =>
      class extends core.Room {
        override onCreate() {
          throw kind === "Error" ? new Error("no map") : new core.ServerError(418, "season is over");
        }
      };
    await using cluster = await startCluster({ failing });
    await cluster.a.request("create", "failing");
    expect(requestOf(cluster, "failing")).toEqual(told);
    expect(cluster.played().split("\n")[1]).toMatch(/^ {2}b: room.create failing/);
    expect(await cluster.counted("colyseus.seat.reservations")).toEqual({ "outcome=error room=failing": 1 });
  },
);

test("an onAuth that refuses at A asks nothing of B", async () => {
  const guarded: DefineRoom = (core, process) =>
    class extends core.Room {
      static override async onAuth() {
        return Promise.resolve(process === "b");
      }
    };
  await using cluster = await startCluster({ guarded });
  await cluster.a.request("joinOrCreate", "guarded");
  expect(cluster.played()).toBe(
    "a: matchmake guarded  error.type=auth_failed\n  a: room.auth guarded  error.type=auth_failed",
  );
  expect(cluster.wire.said).toEqual([]);
  expect(await cluster.counted("colyseus.seat.reservations")).toEqual({ "outcome=refused_auth room=guarded": 1 });
});
