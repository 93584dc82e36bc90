import { matchMaker } from "@colyseus/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { startCluster, type Cluster, type DefineRoom } from "./_cluster.ts";
import { startServer, until } from "./_server.ts";
import type { Message } from "./_wire.ts";

const CALLER = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };

const seen: unknown[][] = [];
const arena: DefineRoom = (core) =>
  class extends core.Room {
    score = 7;
    override onCreate(...args: unknown[]) {
      seen.push(args);
    }
    greet(...args: unknown[]) {
      seen.push(args);
      return `hello ${args.length}`;
    }
  };

/** Requests of one process to another; answers have a topic of their own. */
function requests({ wire }: Cluster): (Message & { message: unknown[] })[] {
  return wire.said.filter((one): one is Message & { message: unknown[] } => /^(p:|\$)/.test(one.topic));
}

test("the context goes as a fourth element, which neither the room's methods nor their options see", async () => {
  seen.length = 0;
  await using cluster = await startCluster({ arena });
  const { roomId } = await cluster.a.client().create("arena", { map: "dust2", ...CALLER });
  const room = await cluster.a.matchMaker.remoteRoomCall(roomId, "greet" as never, ["a", "b"]);
  expect(room).toBe("hello 2");
  expect(await cluster.a.matchMaker.remoteRoomCall(roomId, "score" as never)).toBe(7);
  expect(seen).toEqual([[{ map: "dust2" }], ["a", "b"]]);
  const [made, reserved] = requests(cluster).map(({ message }) => message);
  expect(made).toHaveLength(4);
  expect(made!.slice(0, 3)).toEqual([null, expect.any(String), expect.arrayContaining(["arena", { map: "dust2" }])]);
  expect(reserved).toHaveLength(4);
  expect(reserved!.slice(0, 3)).toEqual([
    "_reserveSeat",
    expect.any(String),
    [expect.any(String), { map: "dust2" }, null],
  ]);
  const answers = cluster.wire.said.filter(({ topic }) => topic.startsWith("ipc:"));
  expect(answers.every(({ message }) => (message as unknown[]).length <= 2)).toBe(true);
});

test.each(["a", "b"] as const)(
  "a cluster in which %s runs without the plugin plays as one without it",
  async (plain) => {
    await using cluster = await startCluster({ arena }, { plain });
    const room = await cluster.a.client().joinOrCreate("arena", plain === "a" ? {} : CALLER);
    expect(await cluster.a.matchMaker.remoteRoomCall(room.roomId, "greet" as never, ["a"])).toBe("hello 1");
    await room.leave();
    if (plain === "a") {
      await until("the end", () => cluster.b.recorded.named("session.lifecycle").length === 1);
      expect(cluster.b.recorded.one("room.create arena").parentSpanContext).toBeUndefined();
      expect(requests(cluster).every(({ message }) => message.length === 3)).toBe(true);
    } else {
      expect(cluster.played()).toBe("<outside>\n  a: matchmake arena");
    }
  },
);

test("a fourth element that is malformed or hostile breaks no request, and names nothing", async () => {
  await using cluster = await startCluster({ arena });
  const { roomId } = (await cluster.a.request("create", "arena", CALLER)).body;
  const carried = requests(cluster)[0]!.message[3];
  expect(carried).toBeDefined();
  const answer = async (topic: string, method: string, args: unknown[], fourth: unknown) =>
    new Promise<unknown>((resolve) => {
      const { presence } = cluster.a;
      void presence.subscribe("ipc:fuzz", (message: unknown) => {
        presence.unsubscribe("ipc:fuzz");
        resolve(message);
      });
      presence.publish(topic, [method, "fuzz", args, fourth]);
    });
  let seats = 0;
  await fc.assert(
    fc.asyncProperty(damaged(carried), async (fourth) => {
      expect(await answer(`$${roomId}`, "greet", ["x"], fourth)).toEqual([0, "hello 1"]);
      expect(await answer(`p:${cluster.b.matchMaker.processId}`, "healthcheck", [], fourth)).toEqual([0, true]);
      expect(await answer(`$${roomId}`, "_reserveSeat", [`seat-${seats++}`, {}], fourth)).toEqual([0, true]);
    }),
    { numRuns: 300 },
  );
  const labels = JSON.stringify(await cluster.b.recorded.points("colyseus.trace_context"));
  expect(labels).not.toContain("hostile");
});

/** Any JSON, and what is really carried with one part of it replaced, repeated or gone. */
function damaged(carried: unknown): fc.Arbitrary<unknown> {
  const strange = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom("hostile".repeat(1000), "__proto__", "00-0-0-00", Number.MAX_VALUE, {}),
  );
  const parts = (value: unknown): fc.Arbitrary<unknown> =>
    typeof value === "object" && value !== null && Object.keys(value).length > 0
      ? fc.oneof(
          strange,
          fc
            .constantFrom(...Object.keys(value))
            .chain((key) =>
              parts((value as Record<string, unknown>)[key]).map((part) =>
                Array.isArray(value) ? value.with(Number(key), part) : { ...value, [key]: part },
              ),
            ),
        )
      : strange;
  return parts(carried);
}

test("a server that names no presence of its own carries the context over the one that Colyseus picks", async () => {
  await using game = await startServer({});
  const { presence } = matchMaker;
  const asked = new Promise<unknown[]>((resolve) => void presence.subscribe("$elsewhere", resolve));
  await game.recorded.tracerProvider.getTracer("game").startActiveSpan("caller", async (span) => {
    const answer = matchMaker.remoteRoomCall("elsewhere", "greet" as never, []);
    const [, requestId, , carried] = await asked;
    presence.publish(`ipc:${String(requestId)}`, [0, "hello"]);
    expect(await answer).toBe("hello");
    expect(JSON.stringify(carried)).toContain(span.spanContext().spanId);
    span.end();
  });
});

test("shutdown() puts presence back as it was, and rooms that were made before still answer", async () => {
  await using cluster = await startCluster({ arena }, { plain: "a", onePresence: true });
  const { presence, core } = cluster.a;
  const { roomId } = await cluster.a.matchMaker.createRoom("arena", {});
  await cluster.b.telemetry!.shutdown();
  expect(Object.keys(presence)).toEqual(Object.keys(new core.LocalPresence()));
  for (const method of ["subscribe", "unsubscribe", "publish"] as const) {
    expect(presence[method]).toBe(core.LocalPresence.prototype[method]);
  }
  expect(await cluster.a.matchMaker.remoteRoomCall(roomId, "greet" as never, [])).toBe("hello 0");
  expect((await cluster.a.request("joinById", roomId)).status).toBe(200);
});
