import { beforeAll, describe, expect, test, vi } from "vitest";
import { ATTRIBUTES, ERROR_TYPES, METRICS, SPANS, type MetricConvention } from "../src/conventions.ts";
import type { Registry } from "../src/sessions/registry.ts";
import type { WaitingSeats } from "../src/sessions/waiting-seats.ts";
import { ELSEWHERE } from "./model/emissions.ts";
import { play, type Played } from "./model/play.ts";

const STORIES = 250;
const UNFINISHED = "the stories were not played to their end";

// What nobody sees from outside: the state that must not grow.
const inside = vi.hoisted(() => ({}) as { registry: Registry; waiting: WaitingSeats });
vi.mock(import("../src/sessions/registry.ts"), async (original) => {
  const { createRegistry } = await original();
  return { createRegistry: (now) => (inside.registry = createRegistry(now)) };
});
vi.mock(import("../src/sessions/waiting-seats.ts"), async (original) => {
  const { createWaitingSeats } = await original();
  return { createWaitingSeats: (...args) => (inside.waiting = createWaitingSeats(...args)) };
});

describe("random stories of players and rooms, on a real server", () => {
  let played: Played;
  let warnings: unknown[];

  beforeAll(async () => {
    const seed = Number(process.env["SEED"] ?? Date.now() % 1e9);
    console.info(`seed ${seed}`);
    const quiet = (["info", "warn", "error"] as const).map((level) => vi.spyOn(console, level).mockReturnValue());
    try {
      played = await play(seed, STORIES, inside);
      warnings = quiet.flatMap(({ mock }) => mock.calls.map(([said]) => said as unknown));
    } finally {
      quiet.forEach((spy) => spy.mockRestore());
    }
    console.info(`seed ${seed}: ${played.stories} stories, ${played.commands} commands`);
  }, 360_000);

  test("telemetry says after every step what the model says, and at the end nothing is left", () => {
    expect(played.failure ?? "").toBe("");
    expect(played.stories).toBeGreaterThanOrEqual(200);
    expect(played.waiting).toEqual([]);
  });

  test("no hook of ours has failed", () => {
    expect(warnings.filter((said) => String(said).includes("colyseus-otel"))).toEqual([]);
  });

  test("the spans are those of the table that tell of rooms and players, and no other", ({ skip }) => {
    skip(played.failure !== undefined, UNFINISHED);
    const names = Object.values(SPANS).map(({ name }) => name);
    expect(sorted(played.emitted.spans)).toEqual(ofPlayers(names, ELSEWHERE.spans));
  });

  test("their attributes are those of the table, and no other", ({ skip }) => {
    skip(played.failure !== undefined, UNFINISHED);
    const keys = Object.values(ATTRIBUTES).map(({ key }) => key);
    expect(sorted(played.emitted.attributes)).toEqual(ofPlayers(keys, ELSEWHERE.attributes));
  });

  test("their error types are those of the table, and no other", ({ skip }) => {
    skip(played.failure !== undefined, UNFINISHED);
    expect(sorted(played.emitted.errorTypes)).toEqual(ofPlayers(Object.values(ERROR_TYPES), ELSEWHERE.errorTypes));
  });

  test("the metrics are those of the table, with all of their labels, and no other", ({ skip }) => {
    skip(played.failure !== undefined, UNFINISHED);
    const metrics = Object.values<MetricConvention>(METRICS).map(({ name, labels }) =>
      described(name, ofPlayers(labels, ELSEWHERE.labels)),
    );
    const emitted = Array.from(played.emitted.metrics, ([name, labels]) => described(name, [...labels]));
    expect(emitted.toSorted()).toEqual(ofPlayers(metrics, ELSEWHERE.metrics));
  });
});

function ofPlayers(names: readonly string[], elsewhere: RegExp): string[] {
  return names.filter((name) => !elsewhere.test(name)).toSorted();
}

function described(metric: string, labels: readonly string[]): string {
  return `${metric}{${labels.toSorted().join(",")}}`;
}

function sorted(names: ReadonlySet<string>): string[] {
  return [...names].toSorted();
}
