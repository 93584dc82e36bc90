import { Server } from "@colyseus/core";
import { expect, test, vi } from "vitest";
import { instrument } from "colyseus-otel";
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
