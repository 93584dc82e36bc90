import { Room, type Client } from "@colyseus/core";
import { expect, test } from "vitest";
import { startCluster } from "./_cluster.ts";
import { drop, startServer, until } from "./_server.ts";

class Arena extends Room {
  override onDrop(client: Client) {
    void this.allowReconnection(client, 20).catch(() => {});
  }
}

test("who goes after the drain's deadline is counted as everybody, and told no more", async () => {
  await using game = await startServer({ arena: Arena }, { drainDeadline: 20 });
  const { points, named, spans } = game.recorded;
  const [leaving, dropped] = [await game.client().joinOrCreate("arena"), await game.client().joinOrCreate("arena")];
  dropped.reconnection.enabled = false;
  const busy = Promise.withResolvers<void>();
  game.server.onBeforeShutdown(() => busy.promise);
  const drained = game.server.gracefullyShutdown(false);
  await until("the deadline", () => named("session.lifecycle").length === 2);
  const told = spans().length;
  await leaving.leave();
  await drop(dropped);
  await until("the last to go", async () => (await points("colyseus.clients"))["room=arena"] === 0);
  busy.resolve();
  await drained;
  expect(await points("colyseus.joins")).toEqual({ "kind=new outcome=accepted room=arena": 2 });
  expect(await points("colyseus.client.duration")).toMatchObject({ "room=arena": { count: 2 } });
  expect(await points("colyseus.drops")).toEqual({ "outcome=held room=arena": 1 });
  expect(await points("colyseus.reconnects")).toEqual({ "outcome=abandoned room=arena": 1 });
  const late = spans().slice(told);
  expect(late.filter(({ name }) => name.startsWith("session."))).toEqual([]);
});

test("a shutdown takes its 3 seconds and no more, where neither the presence nor the collector answers", async () => {
  await using cluster = await startCluster({ arena: ({ Room: Base }) => class extends Base {} });
  const { matchMaker, presence, recorded, sessionOf, telemetry } = cluster.b;
  const room = await cluster.b.client().joinOrCreate("arena");
  const client = matchMaker.getLocalRoomById(room.roomId).clients.getById(room.sessionId)!;
  sessionOf(client).carrier();
  presence.hgetall = () => new Promise(() => {});
  recorded.tracerProvider.forceFlush = () => new Promise(() => {});
  const then = performance.now();
  await telemetry!.shutdown();
  expect(performance.now() - then).toBeLessThan(3500);
});
