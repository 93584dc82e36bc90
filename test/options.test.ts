import { Room, Server } from "@colyseus/core";
import { createRequire } from "node:module";
import { afterEach, expect, test, vi } from "vitest";
import { bootPhase, instrument, mapLoad, type InstrumentOptions } from "colyseus-otel";
import { startServer, until } from "./_server.ts";
import { recordTelemetry } from "./_telemetry.ts";

class Arena extends Room {
  override onJoin() {}
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const server = () => new Server({ greet: false, gracefullyShutdown: false });

test.each<[string, unknown, string]>([
  [
    "an option that is not known",
    { trsut: "link" },
    'instrument: unknown option "trsut" ("link"); known are orchestrator, trust, endpoints',
  ],
  ["options that are no object", "link", 'instrument: options must be an object, got "link"'],
  [
    "a trust that is not known",
    { trust: "signd" },
    'trust must be "continue" or "signed" or "link" or "ignore", got "signd"',
  ],
  [
    "a port out of range",
    { endpoints: { port: 70_000 } },
    "endpoints.port must be a port from 0 (any free one) to 65535, got 70000",
  ],
  [
    "a port that is no number",
    { endpoints: { port: "9464" } },
    'endpoints.port must be a port from 0 (any free one) to 65535, got "9464"',
  ],
  ["an empty host", { endpoints: { host: "" } }, 'endpoints.host must be a string that is not empty, got ""'],
  ["endpoints: true", { endpoints: true }, "endpoints: options must be an object, got true"],
  [
    "annotations that are no list",
    { provisioning: { annotations: "traceparent" } },
    'provisioning.annotations must be an array of strings, got "traceparent"',
  ],
  [
    "an annotation that is no string",
    { provisioning: { annotations: ["a", 1] } },
    "provisioning.annotations[1] must be a string that is not empty, got 1",
  ],
  [
    "an orchestrator that is none",
    { orchestrator: "agones" },
    'orchestrator must be an object with connect(), ready(), shutdown(), close(), got "agones"',
  ],
  ["a provider that is none", { tracerProvider: {} }, "tracerProvider must be an object with getTracer(), got {}"],
])("%s is a TypeError that names option and value", (_what, options, message) => {
  expect(() => instrument(server(), options as InstrumentOptions)).toThrow(TypeError);
  expect(() => instrument(server(), options as InstrumentOptions)).toThrow(message);
});

test("a server of another copy of core is one clear error", () => {
  const require = createRequire(import.meta.url);
  const commonJs = require("../node_modules/@colyseus/core/build/index.cjs") as { Server: typeof Server };
  expect(commonJs.Server).not.toBe(Server);
  const foreign = new commonJs.Server({ greet: false, gracefullyShutdown: false });
  expect(() => instrument(foreign)).toThrow(
    /made by another copy of @colyseus\/core .* CommonJS app on Colyseus 0\.17/,
  );
  expect(() => instrument(undefined as unknown as Server)).toThrow("the first argument must be a Colyseus server");
});

test("a second instrument() is an error that says what to do, and after a shutdown() it is none", async () => {
  await using first = await startServer({ arena: Arena });
  expect(() => instrument(server())).toThrow("instrument() was called already in this process");
  await first.telemetry.shutdown();
  const again = instrument(first.server, { endpoints: false });
  await again.shutdown();
});

test("mapLoad and bootPhase name what is wrong with their arguments, and else change nothing", async () => {
  expect(() => mapLoad("", () => {})).toThrow(
    new TypeError('mapLoad: name must be a string of 1 to 64 characters, got ""'),
  );
  expect(() => mapLoad(7 as unknown as string, () => {})).toThrow("got 7");
  expect(() => bootPhase("db", "connect" as unknown as () => void)).toThrow(
    'bootPhase("db"): the second argument must be a function, got string',
  );
  const value = {};
  expect(mapLoad("dust2", () => value)).toBe(value);
  const promise = Promise.resolve(value);
  expect(bootPhase("db", () => promise)).toBe(promise);
  const error = new Error("no such map");
  expect(() =>
    mapLoad("dust2", () => {
      throw error;
    }),
  ).toThrow(error);
});

test("without an SDK everything runs, and it is said once", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  await using game = await startServer({ arena: Arena }, {
    tracerProvider: undefined,
    meterProvider: undefined,
  } as never);
  await game.telemetry.ready;
  const room = await game.client().joinOrCreate("arena");
  await room.leave();
  expect(warned).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60_000);
  expect(warned.mock.calls.flat()).toEqual([
    expect.stringContaining("no OpenTelemetry SDK is registered, so nothing is recorded"),
  ]);
});

test("an SDK without a context manager is told what it lacks", async () => {
  const { context } = await import("@opentelemetry/api");
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const own = recordTelemetry();
  context.disable();
  await using _game = await startServer({ arena: Arena }, {}, own);
  expect(warned.mock.calls.flat()).toEqual([expect.stringContaining("has no context manager")]);
});

test("an SDK of the program's own that is registered after instrument() gets the boot, and the players from then on", async () => {
  const { trace, metrics } = await import("@opentelemetry/api");
  const own = recordTelemetry();
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  await using game = await startServer({ arena: Arena }, {
    tracerProvider: undefined,
    meterProvider: undefined,
  } as never);
  await game.telemetry.ready;
  trace.setGlobalTracerProvider(own.tracerProvider);
  metrics.setGlobalMeterProvider(own.meterProvider);
  vi.advanceTimersByTime(1000);
  expect(own.named("gameserver.boot")).toHaveLength(1);
  expect(own.named("gameserver.boot.load")[0]!.parentSpanContext?.spanId).toBe(
    own.one("gameserver.boot").spanContext().spanId,
  );
  const room = await game.client().joinOrCreate("arena");
  await until("the join", () => own.named("room.join arena").length === 1);
  expect(Object.keys(await own.points("gameserver.boot.duration"))).toContain("outcome=success phase=total");
  await room.leave();
  trace.disable();
  metrics.disable();
});
