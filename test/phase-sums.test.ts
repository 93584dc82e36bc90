import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { Slow, playStory, stays, stories, type PlayedStory } from "./_random-story.ts";
import { phaseChains, startSimulated, type SimulatedServer } from "./_simulated.ts";
import { durationOf } from "./_telemetry.ts";

vi.mock(import("../src/internal/clock.ts"), async (original) =>
  (await import("./_simulated-clock.ts")).simulated(await original()),
);

const STORIES = 100;
/** What a phase may be off, in milliseconds. */
const OFF = 5;

const total = (spans: readonly ReadableSpan[]) => spans.reduce((sum, span) => sum + durationOf(span), 0);
const phaseOf = ({ name }: ReadableSpan) => name.replace("session.phase.", "");

test.each(["one", "linked"] as const)(
  `over ${STORIES} random stories, traces %s, the phases sum up to the session within ${OFF} ms a phase, in spans and in histograms`,
  async (traces) => {
    const seed = Date.now() & 0x7fffffff;
    console.log(`seed ${seed}`);
    // Nothing lingers out while it is played: the shutdown tells the ends.
    await using server = await startSimulated({ lobby: Slow, arena: Slow }, { linger: 3_600_000, traces });
    const { recorded, server: colyseus } = server.game;
    const played: PlayedStory[] = [];
    for (const story of fc.sample(stories, { numRuns: STORIES, seed })) {
      played.push(await playStory(server, story));
    }
    await colyseus.gracefullyShutdown(false);
    const bySession = Map.groupBy(recorded.spans(), ({ attributes }) => attributes["session.id"]);
    for (const story of played) {
      expectSums(story, bySession.get(story.id)!, `seed ${seed}, ${JSON.stringify(story)}`);
    }
    await expectHistograms(recorded);
  },
);

function expectSums({ id, expected }: PlayedStory, spans: readonly ReadableSpan[], what: string): void {
  const chains = phaseChains(spans);
  const inPhases = total(chains.flat());
  const off = OFF * chains.length;
  const present = stays.get(id)!;
  const inRooms = present.reduce((sum, stay) => sum + stay.until - stay.from, 0);
  expect(Math.abs(inPhases - inRooms), what).toBeLessThan(off);
  // In no room; less than nothing where the next room was joined before the last one was left.
  const between = present.slice(1).reduce((sum, stay, at) => sum + stay.from - present[at]!.until, 0);
  const lifecycles = spans.filter(({ name }) => name === "session.lifecycle");
  expect(lifecycles.length, what).toBe(1);
  expect(Math.abs(total(lifecycles) - inPhases - between), what).toBeLessThan(off);
  const byPhase = Map.groupBy(chains.flat(), phaseOf);
  expect([...byPhase.keys()], what).toEqual(expect.arrayContaining(Object.keys(expected)));
  for (const [phase, group] of byPhase) {
    const more = total(group) - (expected[phase] ?? 0);
    expect(Math.abs(more), `${phase}, ${what}`).toBeLessThan(OFF);
  }
}

async function expectHistograms({ spans, points }: SimulatedServer["game"]["recorded"]): Promise<void> {
  const byPhase = Map.groupBy(phaseChains(spans()), ([first]) => phaseOf(first!));
  expect([...byPhase.keys()].toSorted()).toEqual(["in_game", "loading", "matchmaking", "reconnecting"]);
  const phases = await points("game.session.phase.duration");
  for (const [phase, chains] of byPhase) {
    const sum = expect.closeTo(total(chains.flat()) / 1000, 2);
    expect(phases[`phase=${phase}`]).toEqual({ count: chains.length, sum });
  }
  const told = Object.values(await points("game.session.duration")) as { count: number; sum: number }[];
  const lifecycles = spans().filter(({ name }) => name === "session.lifecycle");
  expect(told.reduce((sum, { count }) => sum + count, 0)).toBe(STORIES);
  expect(told.reduce((all, { sum }) => all + sum, 0)).toBeCloseTo(total(lifecycles) / 1000, 2);
}
