import { Room, type Client, type matchMaker } from "@colyseus/core";
import { mapLoad } from "colyseus-otel";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { drop, startServer, until, type TestServer } from "./_server.ts";
import { durationOf, startOf } from "./_telemetry.ts";

/** How far a span may be from what hooks and clients have measured themselves: 5 ms, or 5 % of it. */
const near = (ms: number) => Math.max(5, ms * 0.05);

/**
 * Milliseconds for which this process stood still, beyond what its own work takes: a machine that others load stops
 * between our clock and the hook's. On one that is idle it is nothing.
 */
function watchStalls() {
  let stalled = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const passed = performance.now() - last;
    last += passed;
    stalled += passed > 4 ? passed : 0;
  }, 1);
  return {
    /** Since it was asked last. */
    take: () => {
      const taken = stalled;
      stalled = 0;
      return taken;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

interface Measured {
  readonly start: number;
  readonly end: number;
}

test("delays drawn at random in auth, create, map load and join are found in the right spans", async () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 1e9);
  console.info(`seed ${seed}`);
  const random = mulberry32(seed);
  const measured: Record<string, Measured> = {};
  const slow = async (span: string) => {
    const start = performance.now();
    await delay(1 + random() * 60);
    measured[span] = { start, end: performance.now() };
  };
  class Arena extends Room {
    static override async onAuth() {
      await slow("room.auth arena");
      return true;
    }
    override async onCreate() {
      const start = performance.now();
      await mapLoad("dust2", () => slow("gameserver.map_load"));
      await delay(1 + random() * 60);
      measured["room.create arena"] = { start, end: performance.now() };
    }
    override async onJoin() {
      await slow("room.on_join arena");
    }
    override async onLeave() {
      await slow("room.on_leave arena");
    }
    override async onDispose() {
      await slow("room.on_dispose arena");
    }
  }
  using stalls = watchStalls();
  for (let round = 0; round < 6; round++) {
    stalls.take();
    await using game = await startServer({ arena: Arena });
    const room = await game.client().joinOrCreate("arena");
    await room.leave();
    await until("the disposal", () => game.recorded.named("room.on_dispose arena").length === 1);
    const still = stalls.take();
    // The first round also compiles what it runs.
    for (const [name, { start, end }] of round > 0 ? Object.entries(measured) : []) {
      const span = game.recorded.one(name);
      const told = { start: startOf(span) - performance.timeOrigin, duration: durationOf(span) };
      expect(Math.abs(told.start - start), `start of ${name}, seed ${seed}`).toBeLessThan(near(0) + still);
      expect(Math.abs(told.duration - (end - start)), `duration of ${name}, seed ${seed}`).toBeLessThan(
        near(end - start) + still,
      );
    }
    // What contains a delay is longer by it, and what does not is not.
    const took = (name: string) => durationOf(game.recorded.one(name));
    const around = took("matchmake arena") - took("room.auth arena") - took("room.create arena");
    expect(around).toBeGreaterThan(0);
    expect(took("room.join arena")).toBeGreaterThanOrEqual(took("room.on_join arena"));
    expect(Object.keys(measured)).toHaveLength(6);
  }
});

/** What a player's own clock and the room's hooks say, in milliseconds, by the histogram or span that says it too. */
type Waits = Record<
  | "colyseus.seat.wait.duration"
  | "colyseus.join.duration"
  | "colyseus.reconnect.gap"
  | "colyseus.client.duration"
  | "session.phase.reconnecting",
  number
>;

test("seat waits, joins, gaps and connections of random length are what clients measured, in spans and in histogram sums", async () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 1e9);
  console.info(`seed ${seed}`);
  const random = mulberry32(seed);
  const players = 12;
  const pause = () => 20 + random() * 150;
  const said: Record<string, number> = {};
  const say = (what: string) => (said[what] = performance.now());
  class Arena extends Room {
    override autoDispose = false;
    override async onJoin(_client: Client, { takes }: { takes: number }) {
      say("join");
      await delay(takes);
      say("joined");
    }
    override onDrop(client: Client) {
      say("drop");
      void this.allowReconnection(client, 20).catch(() => {});
    }
    override onReconnect() {
      say("return");
    }
    override onLeave() {
      say("leave");
    }
  }
  await using game = await startServer({ arena: Arena });
  await game.request("create", "arena");
  const measured: Waits[] = [];
  const still: number[] = [];
  using stalls = watchStalls();
  for (let player = 0; player < players; player++) {
    stalls.take();
    const reserved = await playOne(game, { seat: pause(), join: pause(), gap: pause(), stay: pause() });
    still.push(stalls.take());
    const between = (from: string, to: string) => said[to]! - said[from]!;
    measured.push({
      "colyseus.seat.wait.duration": said["join"]! - reserved,
      "colyseus.join.duration": between("join", "joined"),
      "colyseus.reconnect.gap": between("drop", "return"),
      "colyseus.client.duration": between("join", "drop") + between("return", "leave"),
      "session.phase.reconnecting": between("drop", "return"),
    });
  }
  console.info(`stood still for ${still.map(Math.round).join(", ")} ms`);
  await until("the ends", () => game.recorded.named("session.lifecycle").length === players);
  const sum = (name: keyof Waits) => measured.reduce((total, one) => total + one[name], 0);
  for (const name of Object.keys(measured[0]!) as (keyof Waits)[]) {
    const told = name.startsWith("session.")
      ? game.recorded.named(name).reduce((total, span) => total + durationOf(span), 0)
      : await sumOf(game, name);
    const stood = still.reduce((total, one) => total + one, 0);
    const bound = Math.max(5 * players, sum(name) * 0.05) + stood;
    expect(Math.abs(told - sum(name)), `${name}, seed ${seed}`).toBeLessThan(bound);
  }
  // Of each player, not only in the sum.
  const gaps = game.recorded.named("session.phase.reconnecting").map(durationOf);
  for (const [index, gap] of gaps.entries()) {
    const expected = measured[index]!["session.phase.reconnecting"];
    expect(Math.abs(gap - expected), `gap of player ${index}, seed ${seed}`).toBeLessThan(
      near(expected) + still[index]!,
    );
  }
});

/** Reserves a seat, joins, drops, returns and leaves, with pauses in milliseconds. Gives when the seat was reserved. */
async function playOne(
  game: TestServer,
  { seat, join, gap, stay }: Record<"seat" | "join" | "gap" | "stay", number>,
): Promise<number> {
  const { body } = await game.request("join", "arena", { takes: join });
  const reserved = performance.now();
  await delay(seat);
  const reservation = { ...body, name: "arena" } as unknown as matchMaker.ISeatReservation;
  const room = await game.client().consumeSeatReservation(reservation);
  room.reconnection.enabled = false;
  await delay(stay);
  await drop(room);
  await delay(gap);
  const back = await game.client().reconnect(room.reconnectionToken);
  back.reconnection.enabled = false;
  await delay(stay);
  await back.leave();
  return reserved;
}

/** Sum of a histogram over its series, in milliseconds. */
async function sumOf({ recorded }: TestServer, name: string): Promise<number> {
  const points = Object.values(await recorded.points(name)) as { sum: number }[];
  return points.reduce((total, { sum }) => total + sum * 1000, 0);
}

/** A small seeded generator (Tommy Ettinger's mulberry32). */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
