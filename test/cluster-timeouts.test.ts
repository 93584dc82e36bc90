import { afterEach, expect, test, vi } from "vitest";
import { startCluster, type DefineRoom } from "./_cluster.ts";
import { requestOf, tries, withoutDelays } from "./_requests.ts";

afterEach(() => vi.restoreAllMocks());

const arena: DefineRoom = (core) => class extends core.Room {};

test("a room that does not answer is an ipc_timeout, an error, and counts once", async () => {
  await using cluster = await startCluster({ arena });
  const { roomId } = await cluster.a.matchMaker.createRoom("arena", {});
  cluster.wire.swallowed.add(`$${roomId}`);
  withoutDelays();
  const { body } = await cluster.a.request("joinOrCreate", "arena");
  expect(body.error).toBe(`${roomId} is already full.`);
  expect(tries(cluster)).toBe(6);
  expect(requestOf(cluster, "arena")).toEqual(["ipc_timeout", 2]);
  expect(await cluster.counted("colyseus.seat.reservations")).toEqual({ "outcome=ipc_timeout room=arena": 1 });
  expect(await cluster.counted("colyseus.joins")).toEqual({ "kind=new outcome=error room=arena": 1 });
  expect(await cluster.a.recorded.points("colyseus.matchmake.duration")).toHaveProperty([
    "error.type=ipc_timeout room=arena",
  ]);
});

test("a room whose whole process is silent is an ipc_timeout for who asks for it by its id", async () => {
  await using cluster = await startCluster({ arena });
  const { roomId } = await cluster.a.matchMaker.createRoom("arena", {});
  cluster.wire.swallowed.add(`$${roomId}`).add(`p:${cluster.b.matchMaker.processId}`);
  const { body } = await cluster.a.request("joinById", roomId);
  expect(body.error).toMatch("is not available.");
  expect(requestOf(cluster, "arena")).toEqual(["ipc_timeout", 2]);
  expect(await cluster.counted("colyseus.seat.reservations")).toEqual({ "outcome=ipc_timeout room=arena": 1 });
});

test("a player who asks to return to a room that does not answer asked for no seat", async () => {
  await using cluster = await startCluster({ arena });
  const { roomId } = await cluster.a.matchMaker.createRoom("arena", {});
  cluster.wire.swallowed.add(`$${roomId}`);
  await cluster.a.request("reconnect", roomId, { reconnectionToken: "abc" });
  expect(requestOf(cluster, "arena")).toEqual(["ipc_timeout", 2]);
  expect(await cluster.counted("colyseus.seat.reservations")).toEqual({});
  expect(await cluster.counted("colyseus.joins")).toEqual({ "kind=reconnect outcome=error room=arena": 1 });
});

test("what a client is told of a timeout is what it is told without us", async () => {
  const answers = [];
  for (const plain of [undefined, "a"] as const) {
    await using cluster = await startCluster({ arena }, plain && { plain });
    const { roomId } = await cluster.a.matchMaker.createRoom("arena", {});
    cluster.wire.swallowed.add(`$${roomId}`);
    const { status, body } = await cluster.a.request("joinById", roomId);
    answers.push({ status, body: { ...body, error: body.error.replace(roomId, "it") } });
  }
  expect(answers[0]).toEqual(answers[1]);
});

test("a process that does not make the room in time has it made in A, and nothing failed", async () => {
  await using cluster = await startCluster({ arena });
  cluster.wire.swallowed.add(`p:${cluster.b.matchMaker.processId}`);
  const { status } = await cluster.a.request("create", "arena");
  expect(status).toBe(200);
  expect(requestOf(cluster, "arena")).toEqual([undefined, 0]);
  expect(await cluster.counted("colyseus.seat.reservations")).toEqual({});
});

test("a first try that timed out and a second that found a seat was not refused", async () => {
  await using cluster = await startCluster({ arena });
  const { roomId } = await cluster.a.matchMaker.createRoom("arena", {});
  withoutDelays();
  const swallow = cluster.wire.swallowed.add(`$${roomId}`);
  const asked = cluster.a.request("joinOrCreate", "arena");
  // The health check after the timeout: the room's process answers again.
  await vi.waitUntil(() => cluster.wire.said.some(({ message }) => String(message).startsWith("healthcheck")), 5000);
  swallow.delete(`$${roomId}`);
  expect((await asked).status).toBe(200);
  expect(requestOf(cluster, "arena")).toEqual([undefined, 0]);
  expect(await cluster.counted("colyseus.joins")).toEqual({});
});
