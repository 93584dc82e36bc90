import type { Room } from "@colyseus/core";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { expect, vi } from "vitest";
import type { InstrumentOptions } from "colyseus-otel";
import { startServer, type TestServer } from "./_server.ts";
import { pass } from "./_simulated-clock.ts";
import { durationOf, endOf, startOf } from "./_telemetry.ts";

/** The default of `session.segment`, and how often the one timer looks for phases that are longer. */
const SEGMENT = 600_000;
const LOOK = SEGMENT / 20;

export interface SimulatedServer extends AsyncDisposable {
  readonly game: TestServer;
  /** So many milliseconds pass, look by look; needs the simulated clock. */
  play(ms: number): void;
}

/** A real server whose clock is the test's, and whose timer for long phases is turned by hand. Rooms named `lobby` are matchmaking. */
export async function startSimulated(
  rooms: Record<string, new () => Room>,
  session: NonNullable<InstrumentOptions["session"]>,
): Promise<SimulatedServer> {
  const intervals = vi.spyOn(globalThis, "setInterval");
  const phaseOf = (room: Room) => (room.roomName === "lobby" ? ("matchmaking" as const) : undefined);
  const game = await startServer(rooms, { session: { phaseOf, ...session } });
  const look = intervals.mock.calls.find(([, ms]) => ms === LOOK)![0];
  intervals.mockRestore();
  return {
    game,
    play(ms) {
      for (let left = ms; left > 0; left -= LOOK) {
        pass(Math.min(left, LOOK));
        look();
      }
    },
    [Symbol.asyncDispose]: () => game[Symbol.asyncDispose](),
  };
}

/** From the last span back to the first, link by link; gives them in their order. */
export function walk(last: ReadableSpan, among: readonly ReadableSpan[]): ReadableSpan[] {
  const chain = [last];
  for (let link = last.links[0]; link; link = chain.at(-1)!.links[0]) {
    const { spanId } = link.context;
    const before = among.find((span) => span.spanContext().spanId === spanId);
    expect(before, `the span before ${chain.length} others`).toBeDefined();
    expect(chain).not.toContain(before);
    chain.push(before!);
  }
  return chain.toReversed();
}

/** Each phase as the chain of its segments, of which none is missing and none is in two chains. */
export function phaseChains(spans: readonly ReadableSpan[]): ReadableSpan[][] {
  const told = spans.filter(({ name }) => name.startsWith("session.phase."));
  const chains = told
    .filter(({ attributes }) => attributes["phase.ended_by"] !== "segment")
    .map((last) => walk(last, told));
  expect(chains.flat().length).toBe(told.length);
  chains.forEach(expectWhole);
  return chains.toSorted(([a], [b]) => startOf(a!) - startOf(b!));
}

function expectWhole(chain: readonly ReadableSpan[]): void {
  const indexes = chain.map(({ attributes }) => attributes["session.segment.index"]);
  expect(indexes).toEqual(chain.length === 1 ? [undefined] : chain.map((_, at) => at + 1));
  for (const [at, segment] of chain.entries()) {
    expect(durationOf(segment)).toBeLessThanOrEqual(SEGMENT + 0.001);
    expect(startOf(segment)).toBeCloseTo(at > 0 ? endOf(chain[at - 1]!) : startOf(segment), 3);
  }
}
