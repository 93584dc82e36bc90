import { expect, test, vi } from "vitest";
import { startCluster, type Cluster, type DefineRoom } from "./_cluster.ts";
import { until } from "./_server.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const arena: DefineRoom = (core) => class extends core.Room {};

test.each([
  ["p:lobby", [undefined, "id", ["x"]]],
  ["p:lobby", ["_reserveSeat", "id", ["x"], { traceparent: TRACEPARENT }]],
  ["$x", ["greet", "id", ["x"]]],
  ["$x", ["a", "b", "c", "d"]],
  ["ipc:mine", [0, { hello: 1 }]],
  ["ipc:mine", "hello"],
  ["chat", { hello: 1 }],
  ["chat", undefined],
])("the game's own message on %s comes as it was sent: %o", async (topic, sent) => {
  await using cluster = await startCluster({ arena }, { onePresence: true });
  const { presence } = cluster.a;
  const got: unknown[][] = [];
  const listener = (...args: unknown[]) => void got.push(args);
  const before = structuredClone(sent);
  await presence.subscribe(topic, listener);
  cluster.a.recorded.tracerProvider.getTracer("game").startActiveSpan("chat", (span) => {
    presence.publish(topic, sent);
    span.end();
  });
  expect(got).toHaveLength(1);
  expect(got[0]![0]).toBe(sent);
  expect(sent).toEqual(before);
});

test("the game's own subscriptions end one by one, and all at once", async () => {
  await using cluster = await startCluster({ arena });
  for (const topic of ["p:lobby", "$x", "ipc:mine", "chat"]) {
    for (const presence of [cluster.a.presence, await scoped(cluster)]) {
      const [first, second] = [vi.fn<() => void>(), vi.fn<() => void>()];
      await presence.subscribe(topic, first);
      await presence.subscribe(topic, second);
      await presence.unsubscribe(topic, first);
      cluster.a.presence.publish(topic, "one");
      await until(topic, () => second.mock.calls.length === 1);
      await presence.unsubscribe(topic);
      expect(first).not.toHaveBeenCalled();
      expect(cluster.a.presence.subscriptions.listenerCount(topic)).toBe(0);
    }
  }
});

test("one listener of the game on several topics ends on each by itself", async () => {
  await using cluster = await startCluster({ arena }, { onePresence: true });
  const { presence } = cluster.a;
  for (const [ended, kept] of [
    ["chat", "ipc:mine"],
    ["ipc:mine", "chat"],
    ["ipc:mine", "ipc:yours"],
  ] as const) {
    const listener = vi.fn<() => void>();
    await presence.subscribe(ended, listener);
    await presence.subscribe(kept, listener);
    presence.unsubscribe(ended, listener);
    presence.publish(ended, "gone");
    expect(listener).not.toHaveBeenCalled();
    presence.publish(kept, "here");
    expect(listener).toHaveBeenCalledOnce();
    presence.unsubscribe(kept, listener);
    expect(presence.subscriptions.listenerCount(kept)).toBe(0);
  }
});

test("the game's own messages are not looked into: none of their code runs, and nothing is said of it", async () => {
  await using cluster = await startCluster({ arena }, { onePresence: true });
  const { presence } = cluster.a;
  const warned = vi.spyOn(console, "warn").mockReturnValue();
  const toString = vi.fn<() => string>(() => "x");
  for (const second of [Object.create(null), { toString }, [[{ toString }]]]) {
    presence.publish("chat", ["hello", second, []]);
  }
  expect(toString).not.toHaveBeenCalled();
  expect(warned).not.toHaveBeenCalled();
  warned.mockRestore();
});

/** `this.presence` of a room: Colyseus derives one for each. */
async function scoped({ b }: Cluster) {
  const { roomId } = await b.matchMaker.createRoom("arena", {});
  return b.matchMaker.getLocalRoomById(roomId).presence;
}
