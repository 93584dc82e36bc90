import { metrics, trace, type Meter, type MeterProvider } from "@opentelemetry/api";
import { afterEach, expect, test, vi } from "vitest";
import { METRICS, SPANS } from "../src/conventions.ts";
import type { Reading } from "../src/telling/instruments.ts";
import { newStep } from "../src/telling/step.ts";
import { createTeller, type TellerOptions } from "../src/telling/teller.ts";
import { durationOf, recordTelemetry, spanTree } from "./_telemetry.ts";

afterEach(() => {
  vi.restoreAllMocks();
  trace.disable();
  metrics.disable();
});

const DISPOSED = { note: "room.disposed", room: "arena", seconds: 1 } as const;

const tellerOf = (options: Partial<TellerOptions> = {}) => createTeller({ readings: new Map(), ...options });

function tell(teller: ReturnType<typeof tellerOf>, steps: number): void {
  for (let at = 0; at < steps; at += 1) {
    teller.close(newStep(SPANS.bootPhase));
  }
}

test("without a provider 1,000 steps wait for one, and no more", () => {
  const teller = tellerOf();
  const recorded = recordTelemetry();
  tell(teller, 1500);
  expect(teller.look()).toBe(false);
  expect(teller.active).toBe(false);
  trace.setGlobalTracerProvider(recorded.tracerProvider);
  metrics.setGlobalMeterProvider(recorded.meterProvider);
  expect(teller.look()).toBe(true);
  expect(recorded.spans()).toHaveLength(1000);
});

test("what waited for a provider is dropped with the search for one, and nothing waits any more", async () => {
  const teller = tellerOf();
  const recorded = recordTelemetry();
  tell(teller, 3);
  teller.note(DISPOSED);
  teller.giveUp();
  tell(teller, 3);
  teller.note(DISPOSED);
  trace.setGlobalTracerProvider(recorded.tracerProvider);
  metrics.setGlobalMeterProvider(recorded.meterProvider);
  teller.look();
  expect(recorded.spans()).toEqual([]);
  expect(await recorded.points(METRICS.roomLifetime.name)).toEqual({});
});

test("after shutdown() nothing is counted, and what is observed is asked no more", async () => {
  const recorded = recordTelemetry();
  const reading = vi.fn<Reading>(() => [[{}, 7]]);
  const teller = tellerOf({ ...recorded, readings: new Map([[METRICS.rooms, reading]]) });
  teller.look();
  teller.note(DISPOSED);
  expect(await recorded.points(METRICS.rooms.name)).toEqual({ "": 7 });
  teller.stop();
  teller.note(DISPOSED);
  expect(await recorded.points(METRICS.roomLifetime.name)).toEqual({ "room=arena": { count: 1, sum: 1 } });
  expect(reading).toHaveBeenCalledOnce();
});

test("a step that is told before its parent hangs under it all the same", () => {
  const recorded = recordTelemetry();
  const teller = tellerOf(recorded);
  teller.look();
  const parent = newStep(SPANS.boot);
  teller.close(newStep(SPANS.bootPhase, { parent }));
  teller.close(parent);
  expect(spanTree(recorded.spans())).toBe("gameserver.boot\n  gameserver.boot.phase");
});

test("what is learned while a live span is open is on it: its name, its attributes, its end", () => {
  const recorded = recordTelemetry();
  const teller = tellerOf(recorded);
  teller.look();
  const step = newStep(SPANS.matchmake, { attributes: { known: 1 } });
  teller.open(step);
  step.target = "arena";
  step.result["learned"] = 2;
  teller.close(step, step.start + 1500);
  const span = recorded.one("matchmake arena");
  expect(span.attributes).toEqual({ known: 1, learned: 2 });
  expect(durationOf(span)).toBeCloseTo(1500, 2);
});

test("a provider of spans that throws is told of, and costs no metric", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const { meterProvider, points } = recordTelemetry();
  const tracer = { startSpan: fail, startActiveSpan: fail };
  const teller = tellerOf({ tracerProvider: { getTracer: () => tracer }, meterProvider });
  teller.look();
  const [opened, closed] = [newStep(SPANS.roomCreate), newStep(SPANS.mapLoad, { attributes: { "game.map": "dust2" } })];
  teller.open(opened);
  teller.close(closed);
  expect(warned.mock.calls.flat().join()).toContain("telemetry failed in room.create");
  expect(warned.mock.calls.flat().join()).toContain("telemetry failed in gameserver.map_load");
  expect(Object.keys(await points(METRICS.mapLoadDuration.name))).toHaveLength(1);
});

test("hooks are told to one that has spans alone, or metrics alone", () => {
  const { tracerProvider, meterProvider } = recordTelemetry();
  for (const options of [{ tracerProvider }, { meterProvider }]) {
    const teller = tellerOf(options);
    expect(teller.look()).toBe(false);
    expect(teller.active).toBe(true);
    teller.stop();
    expect(teller.active).toBe(false);
  }
});

test("a step that is closed twice is told once, also after shutdown()", () => {
  const recorded = recordTelemetry();
  const teller = tellerOf(recorded);
  teller.look();
  const [step, open] = [newStep(SPANS.bootPhase), newStep(SPANS.bootPhase)];
  teller.open(open);
  teller.close(step);
  teller.close(step);
  teller.stop();
  teller.close(open);
  expect(recorded.spans()).toHaveLength(1);
});

test("a provider of metrics that throws is told of, and costs no span", () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const { tracerProvider, spans } = recordTelemetry();
  const meter = new Proxy({}, { get: () => () => ({ record: fail, add: fail, addCallback() {} }) });
  const meterProvider = { getMeter: () => meter as Meter } satisfies MeterProvider;
  const teller = tellerOf({ tracerProvider, meterProvider });
  teller.look();
  teller.close(newStep(SPANS.roomJoin, { target: "arena" }));
  teller.note(DISPOSED);
  expect(spans()).toHaveLength(1);
  expect(warned.mock.calls.flat().join()).toContain("telemetry failed in room.join");
  expect(warned.mock.calls.flat().join()).toContain("telemetry failed in room.disposed");
});

function fail(): never {
  throw new Error("no such series");
}
