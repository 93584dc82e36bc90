import { Server } from "@colyseus/core";
import { expect, test, vi } from "vitest";
import { instrument } from "colyseus-otel";
import type { Orchestrator } from "colyseus-otel/agones";
import { until } from "./_server.ts";
import { recordTelemetry } from "./_telemetry.ts";

vi.mock(import("@colyseus/core"), async (original) => ({ ...(await original()), isDevMode: true }));

/** As colyseus/vite makes one at each reload. */
class DevServer extends Server {
  protected override bootRuntime() {}
}

test("reloads under colyseus/vite leave one listener on the process, and a shutdown none", async () => {
  const listeners = () => process.listenerCount("uncaughtExceptionMonitor");
  const before = listeners();
  const { tracerProvider, meterProvider } = recordTelemetry();
  const options = { endpoints: false, tracerProvider, meterProvider } as const;
  const telemetry = instrument(new DevServer({ greet: false, gracefullyShutdown: false }), options);
  for (let reload = 0; reload < 12; reload += 1) {
    expect(instrument(new DevServer({ greet: false, gracefullyShutdown: false }), options)).toBe(telemetry);
  }
  expect(listeners()).toBe(before + 1);
  await telemetry.shutdown();
  expect(listeners()).toBe(before);
});

test("an orchestrator's wish to end reaches the server of the last reload", async () => {
  const exit = vi.spyOn(process, "exit").mockImplementation((() => {}) as never);
  const { tracerProvider, meterProvider } = recordTelemetry();
  let drain = () => {};
  const orchestrator: Orchestrator = {
    name: "fleet",
    connect: (events) => (drain = events.drain),
    ready: async () => {},
    shutdown: async () => {},
    close() {},
  };
  const options = { endpoints: false, orchestrator, tracerProvider, meterProvider } as const;
  const servers = [1, 2].map(() => new DevServer({ greet: false, gracefullyShutdown: false }));
  const ended: number[] = [];
  servers.forEach((server, index) => (server.gracefullyShutdown = async () => void ended.push(index)));
  const [telemetry] = servers.map((server) => instrument(server, options));
  drain();
  await until("the exit", () => exit.mock.calls.length === 1);
  expect(ended).toEqual([1]);
  await telemetry!.shutdown();
  exit.mockRestore();
});
