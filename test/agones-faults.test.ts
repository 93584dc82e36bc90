import { Room } from "@colyseus/core";
import { setTimeout as wait } from "node:timers/promises";
import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, test, vi } from "vitest";
import { agones, type AgonesOptions, type Orchestrator } from "colyseus-otel/agones";
import { startSidecar, type Sidecar, type SidecarOptions } from "../standins/agones-sidecar.ts";
import { startServer, until, type TestServer } from "./_server.ts";
import { over, WAYS } from "./_sidecars.ts";

const REQUEST = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
const ALLOCATED = "gameserver.allocated";
/** A sidecar that takes longer for a ping is away. */
const UNANSWERED_MS = 5000;
const FOUND_AGAIN_MS = 15_000;

class Arena extends Room {}

afterEach(() => vi.restoreAllMocks());

describe.each(WAYS)("over %s", (way) => {
  const protocol = way === "http" ? "HTTP" : "gRPC";
  // grpc-js of the official SDK pauses for seconds where ours does not.
  const slowly = way === "sdk" ? 60_000 : 20_000;

  function quiet() {
    return vi.spyOn(console, "warn").mockImplementation(() => {});
  }

  function startGame(sidecar: Pick<Sidecar, "port" | "httpPort">, options: AgonesOptions = {}) {
    const orchestrator = agones({ ...over(way, sidecar), ...options });
    return startServer({ arena: Arena }, { orchestrator, endpoints: { port: 0 } });
  }

  async function startReady(options: SidecarOptions = {}, more: AgonesOptions = {}) {
    const sidecar = await startSidecar({ readyDelay: 0, ...options });
    const game = await startGame(sidecar, { healthInterval: 100, onAllocated: () => {}, ...more });
    await game.telemetry.ready;
    return {
      sidecar,
      game,
      async [Symbol.asyncDispose]() {
        sidecar.faults.resume();
        await game[Symbol.asyncDispose]();
        await sidecar.close();
      },
    };
  }

  test("the boot ends when the watch shows Ready, not when Ready() is answered", async () => {
    await using stand = await startSidecar({ readyDelay: 60_000 });
    await using game = await startGame(stand);
    await until("the answer", () => game.recorded.named("agones.ready").length === 1);
    expect(game.recorded.named("agones.wait_for_ready")).toEqual([]);
    expect((await probe(game, "/readyz")).status).toBe(503);
    stand.setState("Ready");
    await game.telemetry.ready;
    expect(game.recorded.named("agones.wait_for_ready")).toHaveLength(1);
  });

  test("a server that is allocated before anybody looks counts as Ready, and stays allocated", async () => {
    await using stand = await startSidecar({ readyDelay: 0 });
    await using game = await startGame(stand);
    await stand.waitFor(({ state }) => state === "Ready" || state === "RequestReady");
    stand.allocate();
    await game.telemetry.ready;
    await until("allocated", async () => (await stateOf(game)) === "allocated");
  });

  test("health pings run from the connection on, also while the game is not Ready", async () => {
    await using stand = await startSidecar({ readyDelay: 2000 });
    await using game = await startGame(stand, { healthInterval: 20 });
    await stand.waitFor(() => (stand.calls.health ?? 0) >= 3, 2000, "three pings");
    expect(stand.state()).not.toBe("Ready");
    await game.telemetry.ready;
  });

  test("pings keep to half of the Fleet's period from the first one on, whatever the interval", async () => {
    await using stand = await startSidecar({ readyDelay: 0, health: { periodSeconds: 1 } });
    await using game = await startGame(stand, { healthInterval: 60_000 });
    await stand.waitFor(() => stand.pings.length >= 3, 5000, "three pings");
    await game.telemetry.ready;
  });

  test("a sidecar that hangs at the boot: the boot fails at its deadline, in one line", async () => {
    quiet();
    await using stand = await startSidecar();
    stand.faults.hang();
    const began = performance.now();
    await using game = await startGame(stand, { deadline: 2000 });
    await expect(game.telemetry.ready).rejects.toThrow(/^the Agones sidecar at localhost:\d+ .*2\.0 s[^\n]*$/);
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  test("what accepts and never answers is no sidecar: the boot fails at its deadline", async () => {
    quiet();
    const sockets: Socket[] = [];
    const hung = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    await once(hung, "listening");
    const { port } = hung.address() as { port: number };
    await using game = await startGame({ port, httpPort: port }, { deadline: 2000 });
    await expect(game.telemetry.ready).rejects.toThrow(
      new RegExp(`accepts connections but does not speak ${protocol} .* gave up after 2\\.0 s`),
    );
    sockets.forEach((socket) => socket.destroy());
    hung.close();
  });

  test("a GameServer that never turns Ready: the boot fails at its deadline", async () => {
    quiet();
    await using stand = await startSidecar({ readyDelay: 60_000 });
    await using game = await startGame(stand, { deadline: 2000 });
    await expect(game.telemetry.ready).rejects.toThrow(/did not show Ready in 2\.0 s/);
  });

  test("a GameServer that turns Unhealthy while it waits fails the boot at once, and /readyz says so", async () => {
    quiet();
    await using stand = await startSidecar({ readyDelay: 60_000 });
    await using game = await startGame(stand);
    await stand.waitFor(({ state }) => state === "RequestReady");
    stand.setState("Unhealthy");
    const reason = "Agones moved this GameServer to Unhealthy";
    await expect(game.telemetry.ready).rejects.toThrow(`${reason} while it waited for Ready`);
    expect(await probe(game, "/readyz")).toMatchObject({ status: 503, reason: expect.stringContaining(reason) });
  });

  test("a sidecar that hangs after Ready: it goes on being tried, the game is played, and /readyz says why not", async () => {
    quiet();
    await using running = await startReady();
    const { sidecar, game } = running;
    const room = await game.client().joinOrCreate("arena");
    sidecar.faults.hang();
    const held = sidecar.faults.held();
    await until("503", async () => (await probe(game, "/readyz")).status === 503, UNANSWERED_MS + 5000);
    expect(await probe(game, "/readyz")).toMatchObject({ reason: expect.stringMatching(/health ping failed/) });
    expect(await probe(game, "/livez")).toMatchObject({ status: 200 });
    const other = await game.client().joinOrCreate("arena");
    expect(other.roomId).toBe(room.roomId);
    await Promise.all([room.leave(), other.leave()]);
    const tried = sidecar.faults.held();
    expect(tried).toBeGreaterThan(held);
    sidecar.faults.resume();
    const pings = sidecar.pings.length;
    await until("200", async () => (await probe(game, "/readyz")).status === 200, FOUND_AGAIN_MS);
    await until("pings", () => sidecar.pings.length > pings);
    sidecar.allocate({ annotations: REQUEST });
    await until(ALLOCATED, () => game.recorded.named(ALLOCATED).length === 1);
  }, 40_000);

  test("a sidecar that answers two seconds late is no outage", async () => {
    const warned = quiet();
    await using stand = await startSidecar({ readyDelay: 0 });
    stand.faults.slow(2000);
    await using game = await startGame(stand, { healthInterval: 500 });
    await game.telemetry.ready;
    const pings = stand.pings.length;
    const statuses = new Set<number>();
    await until(
      "six pings more",
      async () => {
        statuses.add((await probe(game, "/readyz")).status);
        return stand.pings.length >= pings + 6;
      },
      10_000,
    );
    expect([...statuses]).toEqual([200]);
    expect(ours(warned)).toEqual([]);
    stand.faults.slow(0);
  }, 40_000);

  test.each(["goaway", "endWatches", "breakWatches"] as const)(
    "after %s the watch begins anew, and what was allocated meanwhile is seen once",
    async (fault) => {
      quiet();
      await using running = await startReady();
      const { sidecar, game } = running;
      for (const turn of [1, 2]) {
        const watches = sidecar.calls.watchGameServer!;
        sidecar.faults[fault]();
        sidecar.allocate({ annotations: REQUEST });
        await sidecar.waitFor(() => sidecar.calls.watchGameServer! > watches, FOUND_AGAIN_MS, "a watch");
        await until(ALLOCATED, () => game.recorded.named(ALLOCATED).length === turn);
      }
      await until("200", async () => (await probe(game, "/readyz")).status === 200, FOUND_AGAIN_MS);
      expect(game.recorded.named(ALLOCATED)).toHaveLength(2);
    },
    40_000,
  );

  test("an allocation whose message was lost is found by asking", async () => {
    await using running = await startReady();
    const { sidecar, game } = running;
    // Whatever else changes the GameServer would bring it along.
    await sidecar.waitFor(({ annotations }) => "agones.dev/sdk-traceparent" in annotations, 5000, "the boot's context");
    const watches = sidecar.calls.watchGameServer;
    sidecar.faults.loseMessages(1);
    sidecar.allocate({ annotations: REQUEST });
    await until(ALLOCATED, () => game.recorded.named(ALLOCATED).length === 1, 10_000);
    expect(sidecar.calls.watchGameServer).toBe(watches);
  }, 20_000);

  test("messages that come twice are one allocation each", async () => {
    await using running = await startReady();
    const { sidecar, game } = running;
    sidecar.faults.repeatMessages(true);
    for (const turn of [1, 2, 3]) {
      sidecar.allocate({ annotations: REQUEST });
      await until(`allocation ${turn}`, () => game.recorded.named(ALLOCATED).length === turn);
    }
    sidecar.setState("Ready");
    await until("ready", async () => (await stateOf(game)) === "ready");
    expect(game.recorded.named(ALLOCATED)).toHaveLength(3);
  });

  test("an allocation between a watch's first message and its subscription is found soon", async () => {
    quiet();
    await using running = await startReady();
    const { sidecar, game } = running;
    sidecar.faults.raceSubscribe(() => void sidecar.allocate({ annotations: REQUEST }));
    sidecar.faults.endWatches();
    await until(ALLOCATED, () => game.recorded.named(ALLOCATED).length === 1, 4000);
  });

  test("a Ready() whose answer was lost is not said again to a server that is allocated meanwhile", async () => {
    quiet();
    await using stand = await startSidecar({ readyDelay: 0 });
    const orchestrator = agones({ ...over(way, stand), healthInterval: 50 });
    orchestrator.connect(eventsWith(() => {}));
    // A connection that has been used, and is free.
    await stand.waitFor(() => stand.pings.length >= 4, 5000, "pings");
    await wait(20);
    stand.faults.slow(3000);
    const ready = orchestrator.ready(0);
    await stand.waitFor(({ state }) => state === "Ready", 5000, "Ready");
    stand.allocate({ annotations: REQUEST });
    stand.faults.goaway();
    stand.faults.slow(0);
    await ready;
    expect(stand.calls.ready).toBe(1);
    expect(stand.state()).toBe("Allocated");
    orchestrator.close();
  }, 40_000);

  test("a Ready() that was answered and died in the sidecar's queue is said again", async () => {
    quiet();
    await using stand = await startSidecar({ readyDelay: 0, rateLimit: 500 });
    await using game = await startGame(stand, { deadline: slowly });
    await stand.waitFor(() => stand.calls.ready === 1, 5000, "Ready()");
    await wait(50);
    await stand.restart({ downFor: 100 });
    await game.telemetry.ready;
    expect(stand.calls.ready).toBe(2);
  }, 70_000);

  test("so it is when the sidecar dies again before all of it was found back", async () => {
    quiet();
    await using stand = await startSidecar({ readyDelay: 0, rateLimit: 500 });
    const sidecar = over(way, stand);
    const orchestrator = agones({ ...sidecar, deadline: slowly });
    const troubles: (string | undefined)[] = [];
    orchestrator.connect(eventsWith((reason) => troubles.push(reason)));
    await stand.waitFor(() => stand.calls.watchGameServer === 1, 5000, "a watch");
    stand.stop();
    await until("an outage", () => troubles.some((reason) => reason !== undefined));
    await stand.start();
    const ready = orchestrator.ready(0);
    await stand.waitFor(() => (stand.calls.ready ?? 0) >= 1, slowly, "Ready()");
    await stand.restart({ downFor: 700 });
    await ready;
    orchestrator.close();
  }, 70_000);

  test("what was handed back is sent again after an outage, in silence", async () => {
    const warned = quiet();
    await using running = await startReady({ rateLimit: 1000 });
    const { sidecar, game } = running;
    sidecar.allocate({ annotations: REQUEST });
    await until(ALLOCATED, () => game.recorded.named(ALLOCATED).length === 1);
    await sidecar.waitFor(() => sidecar.calls.setAnnotation! >= 3, 5000, "what is handed back");
    await wait(100);
    // It was answered, and waits in the sidecar's queue.
    sidecar.stop();
    await sidecar.start();
    const { traceId, spanId } = game.recorded.one(ALLOCATED).spanContext();
    await sidecar.waitFor(
      ({ annotations }) =>
        annotations["agones.dev/sdk-traceparent"] === `00-${traceId}-${spanId}-01` &&
        annotations["agones.dev/sdk-allocations"] === "1",
      FOUND_AGAIN_MS,
      "the annotations",
    );
    expect(ours(warned).filter((line) => line.includes("annotation"))).toEqual([]);
  }, 40_000);

  test("an end right after an allocation says nothing of what it cut off", async () => {
    const warned = quiet();
    const { sidecar, game } = await startReady();
    sidecar.allocate({ annotations: REQUEST });
    await until(ALLOCATED, () => game.recorded.named(ALLOCATED).length === 1);
    await game.telemetry.shutdown();
    await wait(50);
    expect(ours(warned)).toEqual([]);
    await game[Symbol.asyncDispose]();
    await sidecar.close();
  });
});

test("an onAllocated that throws is reported, and the game goes on", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  await using stand = await startSidecar();
  const options = { ...over("grpc", stand), onAllocated: async () => Promise.reject(new Error("no such map")) };
  await using game = await startServer({ arena: Arena }, { orchestrator: agones(options) });
  await game.telemetry.ready;
  stand.allocate();
  await until(ALLOCATED, () => game.recorded.named(ALLOCATED).length === 1);
  expect(game.recorded.one(ALLOCATED).status.message).toBe("Error: no such map");
  expect(ours(warned).join()).toContain(
    "preparing the match failed (onAllocated, onGameSession), the server stays allocated: Error: no such map",
  );
  const room = await game.client().joinOrCreate("arena");
  await room.leave();
});

test("Agones is told once that the server is done, after the game's own callbacks", async () => {
  await using stand = await startSidecar();
  await using game = await startServer({ arena: Arena }, { orchestrator: agones(over("grpc", stand)) });
  await game.telemetry.ready;
  const order: string[] = [];
  game.server.onBeforeShutdown(() => void order.push(`before:${stand.calls.shutdown ?? 0}`));
  game.server.onShutdown(() => void order.push(`after:${stand.calls.shutdown ?? 0}`));
  await Promise.all([game.server.gracefullyShutdown(false), stand.waitFor(({ state }) => state === "Shutdown")]);
  expect(order).toEqual(["before:0", "after:0"]);
  expect(stand.calls.shutdown).toBe(1);
});

type Events = Parameters<Orchestrator["connect"]>[0];

function eventsWith(trouble: Events["trouble"]): Events {
  const nothing = () => {};
  return {
    begin: () => ({ result: {} }) as ReturnType<Events["begin"]>,
    end: nothing,
    traceparent: () => undefined,
    identified: nothing,
    allocated: () => undefined,
    released: nothing,
    trouble,
    told: nothing,
    fault: nothing,
    drain: nothing,
  };
}

function ours(warned: { readonly mock: { readonly calls: unknown[][] } }): string[] {
  return warned.mock.calls.map(([line]) => String(line)).filter((line) => line.startsWith("colyseus-otel"));
}

async function stateOf({ recorded }: TestServer): Promise<string | undefined> {
  const states = Object.entries(await recorded.points("gameserver.status"));
  return states.find(([, value]) => value === 1)?.[0].replace("state=", "");
}

async function probe({ telemetry }: TestServer, path: string): Promise<{ status: number; reason?: string }> {
  const { host, port } = telemetry.endpoints!;
  const response = await fetch(`http://${host}:${port}${path}`);
  return { status: response.status, ...((await response.json()) as { reason?: string }) };
}
