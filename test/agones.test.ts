import { Room } from "@colyseus/core";
import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { mapLoad, type InstrumentOptions } from "colyseus-otel";
import { agones, type AgonesOptions } from "colyseus-otel/agones";
import { startSidecar, type Sidecar, type SidecarOptions } from "../standins/agones-sidecar.ts";
import { startServer, until } from "./_server.ts";
import { durationOf, spanTree, startOf } from "./_telemetry.ts";

const REQUEST = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
const TRACE = "0af7651916cd43dd8448eb211c80319c";

class Arena extends Room {}

class LoadingArena extends Room {
  override onCreate() {
    return mapLoad("dust2", () => wait(5));
  }
}

afterEach(() => vi.restoreAllMocks());

async function sidecar(options: SidecarOptions = {}): Promise<Sidecar> {
  const started = await startSidecar(options);
  process.env["AGONES_SDK_GRPC_PORT"] = String(started.port);
  return started;
}

async function startGame(options: AgonesOptions = {}, room: typeof Arena = Arena, more: InstrumentOptions = {}) {
  return startServer({ arena: room }, { orchestrator: agones(options), ...more });
}

test("the boot ends when the watch shows Ready, not when Ready() is answered", async () => {
  await using stand = await sidecar({ readyDelay: 80 });
  const shown = stand.waitFor(({ state }) => state === "Ready").then(() => performance.timeOrigin + performance.now());
  await using game = await startGame();
  await game.telemetry.ready;
  const { recorded } = game;
  expect(spanTree(recorded.spans())).toMatchInlineSnapshot(`
    "gameserver.boot
      gameserver.boot.load
      agones.connect
      gameserver.boot.prepare
      gameserver.boot.listen
      agones.ready
      agones.wait_for_ready"
  `);
  const [requested, awaited] = [recorded.one("agones.ready"), recorded.one("agones.wait_for_ready")];
  expect(startOf(requested) + durationOf(requested)).toBeLessThan(await shown);
  expect(startOf(awaited) + durationOf(awaited)).toBeGreaterThanOrEqual((await shown) - 1);
  expect(recorded.one("agones.wait_for_ready").attributes["agones.state"]).toBe("Ready");
  const phases = await recorded.points("gameserver.boot.duration");
  expect(Object.keys(phases)).toContain("outcome=success phase=orchestrator");
});

test("a server that is allocated before anybody looks counts as Ready, and stays allocated", async () => {
  await using stand = await sidecar({ readyDelay: 0 });
  await using game = await startGame();
  await stand.waitFor(({ state }) => state === "Ready" || state === "RequestReady");
  stand.allocate();
  await game.telemetry.ready;
  await until(
    "the state allocated",
    async () => (await game.recorded.points("gameserver.status"))["state=allocated"] === 1,
  );
});

test("health pings run from the connection on, also while the game is not Ready", async () => {
  await using stand = await sidecar({ readyDelay: 300 });
  await using game = await startGame({ healthInterval: 20 });
  await stand.waitFor(() => (stand.calls.health ?? 0) >= 3, 2000, "three pings");
  expect(stand.state()).toBe("RequestReady");
  await game.telemetry.ready;
});

test("a sidecar that comes up late is found within moments", async () => {
  const late = await startSidecar();
  await late.close();
  process.env["AGONES_SDK_GRPC_PORT"] = String(late.port);
  await using game = await startGame();
  await wait(300);
  await using stand = await startSidecar({ port: late.port });
  await game.telemetry.ready;
  expect(stand.calls.ready).toBe(1);
  expect(game.recorded.one("agones.connect").attributes["agones.attempts"]).toBeGreaterThan(1);
  await game.telemetry.shutdown();
});

test("an allocation continues the trace of whoever asked, and lasts until the game has prepared itself", async () => {
  await using stand = await sidecar();
  const seen: string[] = [];
  const prepare: AgonesOptions["onAllocated"] = async ({ objectMeta }) => {
    seen.push(objectMeta!.name);
    await mapLoad("dust2", () => wait(30), { mode: "deathmatch" });
    await wait(30);
  };
  await using game = await startGame({ onAllocated: prepare });
  await game.telemetry.ready;
  const asked = Date.now();
  stand.allocate({ annotations: REQUEST });
  await until("gameserver.allocated", () => game.recorded.named("gameserver.allocated").length === 1);
  const allocated = game.recorded.one("gameserver.allocated");
  expect([allocated.spanContext().traceId, allocated.parentSpanContext?.spanId]).toEqual([TRACE, "b7ad6b7169203331"]);
  expect(allocated.links.map(({ context }) => context.spanId)).toEqual([
    game.recorded.one("gameserver.boot").spanContext().spanId,
  ]);
  expect(startOf(allocated)).toBeGreaterThanOrEqual(asked - 1);
  expect(durationOf(allocated)).toBeGreaterThanOrEqual(58);
  const map = game.recorded.one("gameserver.map_load");
  expect(map.parentSpanContext?.spanId).toBe(allocated.spanContext().spanId);
  expect(map.attributes).toMatchObject({ "game.map": "dust2", "game.mode": "deathmatch" });
  expect(seen).toEqual(["arena-7xk2p"]);
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=continued source=annotation": 1,
  });
});

test("repeated messages are one allocation; a second allocation is a second one", async () => {
  await using stand = await sidecar();
  await using game = await startGame({ onAllocated: () => {} });
  await game.telemetry.ready;
  stand.allocate({ annotations: REQUEST });
  stand.setState("Allocated");
  await until("the first", () => game.recorded.named("gameserver.allocated").length === 1);
  stand.allocate({ annotations: REQUEST });
  await until("the second", () => game.recorded.named("gameserver.allocated").length === 2);
  stand.setState("Allocated");
  await wait(0);
  expect(game.recorded.named("gameserver.allocated")).toHaveLength(2);
});

test("without onAllocated the server is playable with its first map load, which links to the allocation from room.create", async () => {
  await using stand = await sidecar();
  await using game = await startGame({}, LoadingArena);
  await game.telemetry.ready;
  stand.allocate({ annotations: REQUEST });
  await until("the allocation", async () => (await game.recorded.points("gameserver.status"))["state=allocated"] === 1);
  const room = await game.client().joinOrCreate("arena");
  await until("gameserver.allocated", () => game.recorded.named("gameserver.allocated").length === 1);
  const map = game.recorded.one("gameserver.map_load");
  expect(map.parentSpanContext?.spanId).toBe(game.recorded.one("room.create arena").spanContext().spanId);
  expect(map.links.map(({ context }) => context.spanId)).toEqual([
    game.recorded.one("gameserver.allocated").spanContext().spanId,
  ]);
  await room.leave();
});

test("without onAllocated and without maps the server is playable with its first join", async () => {
  await using stand = await sidecar();
  await using game = await startGame();
  await game.telemetry.ready;
  stand.allocate();
  await until("the allocation", async () => (await game.recorded.points("gameserver.status"))["state=allocated"] === 1);
  expect(game.recorded.named("gameserver.allocated")).toHaveLength(0);
  const room = await game.client().joinOrCreate("arena");
  await until("gameserver.allocated", () => game.recorded.named("gameserver.allocated").length === 1);
  await room.leave();
});

test.each([
  "opentelemetry.io/trace-context",
  "tracing.k8s.io/traceparent",
  "game.kruise.io/traceparent",
  "my.game/trace",
])("the context is found under the annotation %s", async (key) => {
  await using stand = await sidecar();
  const more = key === "my.game/trace" ? { provisioning: { annotations: [key] } } : {};
  await using game = await startGame({ onAllocated: () => {} }, Arena, more);
  await game.telemetry.ready;
  stand.allocate({
    annotations: { [key]: key.startsWith("opentelemetry.io") ? JSON.stringify(REQUEST) : REQUEST.traceparent },
  });
  await until("gameserver.allocated", () => game.recorded.named("gameserver.allocated").length === 1);
  expect(game.recorded.one("gameserver.allocated").spanContext().traceId).toBe(TRACE);
});

test("an onAllocated that throws is reported, and the game goes on", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  await using stand = await sidecar();
  await using game = await startGame({ onAllocated: async () => Promise.reject(new Error("no such map")) });
  await game.telemetry.ready;
  stand.allocate();
  await until("gameserver.allocated", () => game.recorded.named("gameserver.allocated").length === 1);
  expect(game.recorded.one("gameserver.allocated").status.message).toBe("Error: no such map");
  expect(warned.mock.calls.flat().join()).toContain(
    "onAllocated failed, the server stays allocated: Error: no such map",
  );
  const room = await game.client().joinOrCreate("arena");
  await room.leave();
});

test("no sidecar at the address: the boot fails inside its deadline, in one line that says where, what was tried and how long", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  process.env["AGONES_SDK_GRPC_PORT"] = "1";
  const began = performance.now();
  await using game = await startGame({ deadline: 400 });
  const failure = await game.telemetry.ready.then(
    () => undefined,
    (error: Error) => error.message,
  );
  expect(performance.now() - began).toBeLessThan(3000);
  expect(failure).toMatch(
    /^no Agones sidecar at localhost:1 \(gRPC\): \d+ connection attempts in 0\.4 s, last: ECONNREFUSED\. /,
  );
  const lines = warned.mock.calls.flat().filter((line) => String(line).includes("the boot failed"));
  expect(lines).toEqual([`colyseus-otel: the boot failed: Error: ${failure}`]);
  expect(game.recorded.one("gameserver.boot").attributes["error.type"]).toBe("orchestrator_failed");
  expect(game.recorded.one("agones.connect").attributes["error.type"]).toBe("orchestrator_failed");
  const room = await game.client().joinOrCreate("arena");
  await room.leave();
});

test("a sidecar that accepts and never answers: the boot fails inside its deadline", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const sockets: Socket[] = [];
  const hung = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
  await once(hung, "listening");
  process.env["AGONES_SDK_GRPC_PORT"] = String((hung.address() as { port: number }).port);
  await using game = await startGame({ deadline: 300 });
  await expect(game.telemetry.ready).rejects.toThrow(
    /accepts connections but does not speak gRPC .* gave up after 0\.3 s/,
  );
  sockets.forEach((socket) => socket.destroy());
  hung.close();
});

test("a GameServer that never turns Ready: the boot fails inside its deadline", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  await using _stand = await sidecar({ readyDelay: 60_000 });
  await using game = await startGame({ deadline: 300 });
  await expect(game.telemetry.ready).rejects.toThrow(/did not show Ready in 0\.3 s/);
});

test("a GameServer that turns Unhealthy while it waits fails the boot at once", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  await using stand = await sidecar({ readyDelay: 60_000 });
  await using game = await startGame();
  await stand.waitFor(({ state }) => state === "RequestReady");
  stand.setState("Unhealthy");
  await expect(game.telemetry.ready).rejects.toThrow(
    "Agones moved this GameServer to Unhealthy while it waited for Ready",
  );
});

test("Agones is told once that the server is done, after the game's own callbacks", async () => {
  await using stand = await sidecar();
  await using game = await startGame();
  await game.telemetry.ready;
  const order: string[] = [];
  game.server.onBeforeShutdown(() => void order.push(`before:${stand.calls.shutdown ?? 0}`));
  game.server.onShutdown(() => void order.push(`after:${stand.calls.shutdown ?? 0}`));
  await Promise.all([game.server.gracefullyShutdown(false), stand.waitFor(({ state }) => state === "Shutdown")]);
  expect(order).toEqual(["before:0", "after:0"]);
  expect(stand.calls.shutdown).toBe(1);
});

test("a sidecar that dies after Ready costs the game nothing but a warning", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const stand = await sidecar();
  await using game = await startGame({ healthInterval: 20 });
  await game.telemetry.ready;
  await stand.close();
  await until("a warning", () =>
    warned.mock.calls.flat().some((line) => /the Agones sidecar at localhost:\d+ \(gRPC\) is away/.test(String(line))),
  );
  const room = await game.client().joinOrCreate("arena");
  await room.leave();
});

test("options of agones() that are wrong are named", () => {
  expect(() => agones({ deadline: -1 })).toThrow(
    new TypeError("agones.deadline must be a positive number of milliseconds, got -1"),
  );
  expect(() => agones({ healthInterval: "2s" as unknown as number })).toThrow(
    'agones.healthInterval must be a positive number of milliseconds, got "2s"',
  );
  expect(() => agones({ onAllocated: true as unknown as () => void })).toThrow(
    "agones.onAllocated must be a function, got true",
  );
  expect(() => agones({ dedline: 1 } as AgonesOptions)).toThrow(
    'agones: unknown option "dedline" (1); known are transport, sdk, deadline, healthInterval, onAllocated',
  );
});
