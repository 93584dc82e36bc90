import { Room } from "@colyseus/core";
import { createServer } from "node:http";
import { once } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import { startTelemetry } from "colyseus-otel/sdk";
import { startServer, until, type TestServer } from "./_server.ts";

class Arena extends Room {}

afterEach(() => vi.restoreAllMocks());

async function get({ telemetry }: TestServer, path: string, init?: RequestInit) {
  await until("the admin port", () => telemetry.endpoints);
  const { host, port } = telemetry.endpoints!;
  const response = await fetch(`http://${host}:${port}${path}`, init);
  return { status: response.status, type: response.headers.get("content-type"), body: await response.text() };
}

test("a server is ready once it listens, and draining from the first moment of its shutdown", async () => {
  await using game = await startServer({ arena: Arena }, { endpoints: { port: 0 } });
  await game.telemetry.ready;
  const ready = await get(game, "/readyz?verbose");
  expect(ready).toMatchObject({ status: 200, type: "application/json" });
  const { boot, state } = JSON.parse(ready.body) as { boot: Record<string, number>; state: string };
  expect(state).toBe("ready");
  expect(Object.keys(boot)).toEqual(["load", "prepare", "listen", "orchestrator", "total"]);
  expect(boot["total"]).toBeGreaterThanOrEqual(boot["load"]!);
  let draining: number | undefined;
  game.server.onBeforeShutdown(async () => {
    draining = (await get(game, "/readyz")).status;
  });
  await game.server.gracefullyShutdown(false);
  expect(draining).toBe(503);
});

test("unknown paths and methods are told what there is", async () => {
  await using game = await startServer({ arena: Arena }, { endpoints: { port: 0 } });
  expect(await get(game, "/")).toMatchObject({ status: 404, body: "/metrics, /startupz, /readyz, /livez\n" });
  expect(await get(game, "/readyz", { method: "POST" })).toMatchObject({ status: 405 });
});

test("/metrics says what to do when nobody offers metrics", async () => {
  await using game = await startServer({ arena: Arena }, { endpoints: { port: 0 } });
  expect(await get(game, "/metrics")).toMatchObject({
    status: 503,
    body: expect.stringContaining("call startTelemetry()"),
  });
});

test("/metrics is Prometheus' text once startTelemetry() is loaded", async () => {
  await using _sdk = startTelemetry({ spanProcessors: [] });
  await using game = await startServer({ arena: Arena }, {
    endpoints: { port: 0 },
    tracerProvider: undefined,
    meterProvider: undefined,
  } as never);
  await until("metrics", async () => (await get(game, "/metrics")).status === 200);
  const { body } = await get(game, "/metrics");
  expect(body).toContain('gameserver_status{state="ready"} 1');
  expect(body).toContain("gameserver_readiness 1");
  expect(body).toMatch(/gameserver_boot_duration_bucket\{phase="total",outcome="success",le="/);
});

test("an admin port in use is one clear error, and the game goes on", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const blocker = createServer().listen(0, "127.0.0.1");
  await once(blocker, "listening");
  const { port } = blocker.address() as { port: number };
  await using game = await startServer({ arena: Arena }, { endpoints: { port } });
  await until("the error", () => warned.mock.calls.length > 0);
  expect(warned.mock.calls.flat()[0]).toMatch(
    `colyseus-otel: no /metrics and no probes at 127.0.0.1:${port} (option endpoints): Error: listen EADDRINUSE`,
  );
  expect(game.telemetry.endpoints).toBeUndefined();
  const room = await game.client().joinOrCreate("arena");
  await room.leave();
  blocker.close();
});

test("the admin port is closed with the telemetry", async () => {
  await using game = await startServer({ arena: Arena }, { endpoints: { port: 0 } });
  await get(game, "/livez");
  const { host, port } = game.telemetry.endpoints!;
  await game.telemetry.shutdown();
  await expect(fetch(`http://${host}:${port}/livez`)).rejects.toThrow();
});
