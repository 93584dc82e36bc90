import { Room } from "@colyseus/core";
import type { Orchestrator } from "colyseus-otel";
import { afterEach, expect, test, vi } from "vitest";
import { GLOBAL_PROVIDERS, startServer } from "./_server.ts";
import { recordTelemetry } from "./_telemetry.ts";

class Arena extends Room {}

afterEach(() => vi.restoreAllMocks());

function orchestrator(ready: () => Promise<void>): Orchestrator {
  return { name: "late", connect() {}, ready, shutdown: async () => {}, close() {} };
}

test.each([
  ["the server", ({ server }: Awaited<ReturnType<typeof startServer>>) => server.gracefullyShutdown(false)],
  ["its telemetry", ({ telemetry }: Awaited<ReturnType<typeof startServer>>) => telemetry.shutdown()],
])("who waits for Ready is told when %s is shut down before", async (_, shutdown) => {
  const late = Promise.withResolvers<void>();
  await using game = await startServer({ arena: Arena }, { orchestrator: orchestrator(() => late.promise) });
  await shutdown(game);
  await expect(game.telemetry.ready).rejects.toThrow("shut down before Ready");
});

test("a Ready that comes after the telemetry was shut down looks for no SDK", async () => {
  const late = Promise.withResolvers<void>();
  const options = { orchestrator: orchestrator(() => late.promise) };
  await using game = await startServer({ arena: Arena }, options, recordTelemetry(), GLOBAL_PROVIDERS);
  await game.telemetry.shutdown();
  const timers = vi.spyOn(globalThis, "setInterval");
  late.resolve();
  await new Promise((next) => setImmediate(next));
  expect(timers).not.toHaveBeenCalled();
});

test("an orchestrator that throws where it is told of the end does not keep the server from it", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const gone = () => {
    throw new Error("gone");
  };
  const throwing = { ...orchestrator(async () => {}), shutdown: gone, close: gone };
  await using game = await startServer({ arena: Arena }, { orchestrator: throwing });
  await game.server.gracefullyShutdown(false);
  expect(warned.mock.calls.flat().join()).toContain("late was not told that this server is done: Error: gone");
});
