import { Room } from "@colyseus/core";
import { afterEach, expect, test, vi } from "vitest";
import { startTelemetry } from "colyseus-otel/sdk";
import { startCollector } from "./_collector.ts";
import { GLOBAL_PROVIDERS, startServer, until } from "./_server.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test("a collector that is killed, and misses players, has every span once when it is back", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  await using collector = await startCollector();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint);
  await using sdk = startTelemetry({ load: "now" });
  await using game = await startServer({ arena: class extends Room {} }, {}, undefined, GLOBAL_PROVIDERS);
  const player = await game.client().joinOrCreate("arena");
  await sdk.flush();
  await collector.kill();
  await game.client().joinById(player.roomId);
  await sdk.flush();
  await until("the warning", () => warned.mock.calls.length > 0);
  await collector.restart();
  const spans = () => collector.requests().flat();
  const joins = () => spans().filter(([name]) => name.startsWith("room.join"));
  await until("both joins", () => joins().length === 2, 15_000);
  const ids = spans().map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
});
