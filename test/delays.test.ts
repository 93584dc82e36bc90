import { Room } from "@colyseus/core";
import { mapLoad } from "colyseus-otel";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { startServer, until } from "./_server.ts";
import { durationOf, startOf } from "./_telemetry.ts";

/** How far a span may be from what the hook itself has measured. */
const NEAR_MS = 5;

interface Measured {
  readonly start: number;
  readonly end: number;
}

test("delays drawn at random in auth, create, map load and join are found in the right spans within 5 ms", async () => {
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
  for (let round = 0; round < 5; round++) {
    await using game = await startServer({ arena: Arena });
    const room = await game.client().joinOrCreate("arena");
    await room.leave();
    await until("the disposal", () => game.recorded.named("room.on_dispose arena").length === 1);
    for (const [name, { start, end }] of Object.entries(measured)) {
      const span = game.recorded.one(name);
      const told = { start: startOf(span) - performance.timeOrigin, duration: durationOf(span) };
      expect(Math.abs(told.start - start), `start of ${name}, seed ${seed}`).toBeLessThan(NEAR_MS);
      expect(Math.abs(told.duration - (end - start)), `duration of ${name}, seed ${seed}`).toBeLessThan(NEAR_MS);
    }
    // What contains a delay is longer by it, and what does not is not.
    const took = (name: string) => durationOf(game.recorded.one(name));
    const around = took("matchmake arena") - took("room.auth arena") - took("room.create arena");
    expect(around).toBeGreaterThan(0);
    expect(took("room.join arena")).toBeGreaterThanOrEqual(took("room.on_join arena"));
    expect(Object.keys(measured)).toHaveLength(6);
  }
});

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
