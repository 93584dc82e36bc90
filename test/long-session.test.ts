import { Room } from "@colyseus/core";
import type { Room as ClientRoom } from "@colyseus/sdk";
import { expect, test, vi } from "vitest";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sessionOf } from "colyseus-otel";
import type { Registry } from "../src/sessions/registry.ts";
import { roomOf, until, type TestServer } from "./_server.ts";
import { phaseChains, startSimulated, walk } from "./_simulated.ts";
import { durationOf, endOf, startOf } from "./_telemetry.ts";

vi.mock(import("../src/internal/clock.ts"), async (original) =>
  (await import("./_simulated-clock.ts")).simulated(await original()),
);
const inside = vi.hoisted(() => ({
  registry: undefined as Registry | undefined,
  lingering: undefined as ReadonlyMap<string, unknown> | undefined,
}));
vi.mock(import("../src/sessions/registry.ts"), async (original) => {
  const { createRegistry } = await original();
  return { createRegistry: (now) => (inside.registry = createRegistry(now)) };
});
vi.mock(import("../src/sessions/linger.ts"), async (original) => {
  const { createLinger } = await original();
  return {
    createLinger: (options) => {
      const linger = createLinger(options);
      inside.lingering = linger.known;
      return linger;
    },
  };
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

class Plain extends Room {}

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const MATCHES = 40;
const LOBBY = 150 * SECOND;
/** Matches of one segment and of three, in turn. */
const LENGTHS = [210 * SECOND, 1290 * SECOND];

/** Ten hours: 40 times lobby and match, and a last lobby; one session. `onHour` is called with all that was told so far. */
async function playLong(traces: "one" | "linked", onHour?: (game: TestServer) => void): Promise<TestServer> {
  const { game, play } = await startSimulated({ lobby: Plain, arena: Plain }, { linger: 0, traces });
  let room = await move(game, "lobby");
  let played = 0;
  for (let match = 0; match < MATCHES; match++) {
    play(LOBBY);
    room = await move(game, "arena", room);
    play(LENGTHS[match % 2]!);
    room = await move(game, "lobby", room);
    const hours = Math.floor(played / HOUR);
    played += LOBBY + LENGTHS[match % 2]!;
    if (Math.floor(played / HOUR) > hours) {
      onHour?.(game);
    }
  }
  expect(played).toBe(10 * HOUR);
  await room.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length > 0);
  return game;
}

/** The client joins the next room by the carrier, and leaves the last one then. */
async function move(game: TestServer, name: string, from?: ClientRoom): Promise<ClientRoom> {
  const last = from && roomOf(from.roomId).clients.getById(from.sessionId)!;
  const room = await game.client().joinOrCreate(name, last && { ...sessionOf(last).carrier() });
  room.reconnection.enabled = false;
  await from?.leave();
  return room;
}

test.each(["one", "linked"] as const)(
  "10 hours with 40 matches, traces %s: each phase is a chain of segments, walked from its end to its start, and no time is missing",
  async (traces) => {
    await using game = await playLong(traces);
    const chains = phaseChains(game.recorded.spans());
    const matches = chains.filter(([first]) => first!.name === "session.phase.in_game");
    expect(chains.length).toBe(2 * MATCHES + 1);
    expect(matches.map((chain) => chain.length)).toEqual(Array.from({ length: MATCHES }, (_, at) => (at % 2 ? 3 : 1)));
    expect(matches.map(([first]) => first!.attributes["session.match_number"])).toEqual(matches.map((_, at) => at + 1));
    const lifecycle = game.recorded.one("session.lifecycle");
    expect(lifecycle.attributes["session.matches_played"]).toBe(MATCHES);
    expect(durationOf(lifecycle)).toBeCloseTo(10 * HOUR, 3);
    for (const [at, chain] of chains.entries()) {
      const before = chains[at - 1]?.at(-1);
      expect(startOf(chain[0]!)).toBeLessThanOrEqual(before ? endOf(before) : startOf(lifecycle));
    }
    expect(endOf(chains.at(-1)!.at(-1)!)).toBe(endOf(lifecycle));
    const told = matches.flat().reduce((total, span) => total + durationOf(span) / 1000, 0);
    expect(await game.recorded.points("game.session.phase.duration")).toMatchObject({
      "phase=in_game": { count: MATCHES, sum: expect.closeTo(told, 3) },
    });
  },
);

test.each([
  ["one", 1],
  ["linked", 1 + MATCHES + MATCHES],
] as const)(
  "10 hours, traces %s: the roots are a chain from the last to the first, %i long, and all hangs from them",
  async (traces, count) => {
    await using game = await playLong(traces);
    const roots = game.recorded.named("session.started");
    const lifecycle = game.recorded.one("session.lifecycle");
    const last = roots.find((root) => root.spanContext().spanId === lifecycle.parentSpanContext?.spanId);
    const chain = walk(last!, roots).map((root) => root.spanContext());
    expect([chain.length, roots.length]).toEqual([count, count]);
    expect(new Set(chain.map(({ traceId }) => traceId)).size).toBe(count);
    const first = traces === "one" ? [] : [chain[0]!.spanId];
    expect(lifecycle.links.map(({ context }) => context.spanId)).toEqual(first);
    const ids = chain.map(({ spanId }) => spanId);
    for (const segment of phaseChains(game.recorded.spans()).flat()) {
      expect(ids).toContain(segment.parentSpanContext?.spanId);
    }
  },
);

test.each(["one", "linked"] as const)(
  "what is held for a session of 10 hours is no more in hour 10 than in hour 1, traces %s",
  async (traces) => {
    const sizes: [open: number, lingering: number][] = [];
    const bytes: number[] = [];
    const heaps: number[] = [];
    await using game = await playLong(traces, ({ recorded }) => {
      sizes.push([inside.registry!.open.size, inside.lingering!.size]);
      bytes.push(heldBytes());
      recorded.reset();
      collectGarbage();
      heaps.push(process.memoryUsage().heapUsed);
    });
    expect(sizes).toEqual(Array.from({ length: 10 }, () => [1, 1]));
    // Counts have a digit or two more.
    expect(Math.max(...bytes) - bytes[0]!).toBeLessThan(32);
    const grown = heaps.at(-1)! - heaps[1]!;
    console.log(
      `traces ${traces}: ${bytes.at(-1)} B of state, heap ${grown / 1024} KiB more in hour 10 than in hour 2`,
    );
    expect(grown).toBeLessThan(2 ** 19);
    expect(game.recorded.named("session.lifecycle").length).toBe(1);
    expect([inside.registry!.open.size, inside.lingering!.size]).toEqual([0, 0]);
  },
);

test("one match of 10 hours with an event a minute: 60 segments, walked from the last to the first, and nothing piles up", async () => {
  await using server = await startSimulated({ arena: Plain }, { linger: 0 });
  const { game, play } = server;
  const room = await move(game, "arena");
  const player = sessionOf(roomOf(room.roomId).clients.getById(room.sessionId)!);
  const bytes: number[] = [];
  for (let minute = 1; minute <= 10 * 60; minute++) {
    player.event("minute", { minute });
    play(60 * SECOND);
    if (minute % 60 === 0) {
      bytes.push(heldBytes());
    }
  }
  await room.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length > 0);
  const [chain, ...others] = phaseChains(game.recorded.spans());
  expect(others).toEqual([]);
  expect(chain!.length).toBe(60);
  const minutes = chain!.flatMap(({ events }) => events.map(({ attributes }) => attributes?.["minute"]));
  expect(minutes).toEqual(Array.from({ length: 600 }, (_, at) => at + 1));
  expect(Math.max(...bytes) - bytes[0]!).toBeLessThan(32);
});

/** The state of the one player, as text. */
function heldBytes(): number {
  const [connection] = inside.registry!.open;
  const { phase, session, match, early } = connection!;
  return JSON.stringify({ phase, session, match, early }).length;
}
