import { MapSchema, schema, t } from "@colyseus/schema";
import { Room } from "@colyseus/core";
import { afterEach, expect, test, vi } from "vitest";
import { Distribution } from "../src/telling/distribution.ts";
import { roomOf, startServer, until } from "./_server.ts";

const LOOPS = ["setSimulationInterval", "setTimestep", "setFixedTimestep"] as const;
type Loop = (callback?: (...args: unknown[]) => unknown, rate?: number) => void;

const State = schema({ players: t.map("number") });

afterEach(() => vi.restoreAllMocks());

/** A room that runs `tick` as fast as its method does, and patches nothing. */
function looping(method: (typeof LOOPS)[number], tick: (...args: unknown[]) => unknown) {
  return class Arena extends Room {
    override patchRate = null;
    override onCreate() {
      (this[method] as Loop)(tick, method === "setFixedTimestep" ? 200 : 5);
    }
  };
}

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test.each(LOOPS)("each call of the function given to %s is one tick", async (method) => {
  const added = vi.spyOn(Distribution.prototype, "add");
  const tick = vi.fn();
  await using game = await startServer({ arena: looping(method, tick) });
  await game.client().joinOrCreate("arena");
  await until("twenty ticks", () => tick.mock.calls.length >= 20);
  expect(added.mock.calls.length).toBe(tick.mock.calls.length);
});

test.each(LOOPS)("%s calls the game's function as it does without us", async (method) => {
  const calls: unknown[][] = [];
  const Arena = looping(method, function tick(this: unknown, ...args) {
    calls.push([this, args.length, typeof args[0]]);
  });
  await using game = await startServer({ arena: Arena });
  const story = async () => {
    calls.length = 0;
    const room = await game.client().joinOrCreate("arena");
    await until("three ticks", () => calls.length >= 3);
    await roomOf(room.roomId).disconnect();
    return calls.slice(0, 3);
  };
  const under = await story();
  await game.telemetry.shutdown();
  expect(under).toEqual(await story());
});

test("a tick that throws is timed all the same, and the room gets the very error", async () => {
  const error = new Error("a wall without a normal");
  const caught: unknown[] = [];
  let ticks = 0;
  const tick = () => {
    ticks += 1;
    throw error;
  };
  class Arena extends looping("setTimestep", tick) {
    override onUncaughtException(thrown: Error) {
      caught.push(thrown.cause);
    }
  }
  const added = vi.spyOn(Distribution.prototype, "add");
  await using game = await startServer({ arena: Arena });
  await game.client().joinOrCreate("arena");
  await until("three errors", () => caught.length >= 3);
  expect(new Set(caught)).toEqual(new Set([error]));
  expect(added.mock.calls.length).toBe(ticks);
});

test("a game loop that is ended by a call without a function is ended", async () => {
  await using game = await startServer({ arena: looping("setTimestep", () => {}) });
  const { roomId } = await game.client().joinOrCreate("arena");
  const started = vi.spyOn(globalThis, "setInterval");
  roomOf(roomId).setTimestep();
  expect(started).not.toHaveBeenCalled();
  roomOf(roomId).setTimestep(() => {});
  expect(started).toHaveBeenCalledTimes(1);
});

test("with an SDK of the program's own, gauges by room type tell the median, the 99th percentile and the longest", async () => {
  let spikes = 1;
  const tick = () => spin(spikes-- > 0 ? 30 : 1.2);
  await using game = await startServer({
    arena: looping("setTimestep", tick),
    lobby: looping("setTimestep", () => {}),
  });
  await game.client().joinOrCreate("arena");
  await game.client().joinOrCreate("lobby");
  await until("ten ticks", () => spikes <= -10);
  const names = ["p50", "p99", "max"].map((name) => `colyseus.tick.duration.${name}`);
  // One collection for all three: the next one would be of the stretch after it.
  const first = await game.recorded.points(names[2]!);
  expect(first["room=arena"]).toBeGreaterThanOrEqual(0.03);
  expect(first["room=lobby"]).toBeGreaterThan(0);
  await until("ten more", () => spikes <= -20);
  const max = (await game.recorded.points(names[2]!))["room=arena"];
  expect(max).toBeGreaterThanOrEqual(0.0012);
  expect(await game.recorded.metricNames()).toEqual(expect.arrayContaining(names));
  expect(await game.recorded.metricNames()).not.toContain("colyseus.tick.duration");
});

test("every patch is timed, by the timer and by hand, and tells what it told without us", async () => {
  class Arena extends Room {
    override state = new State();
    override patchRate: number | null = 1000;
  }
  const added = vi.spyOn(Distribution.prototype, "add");
  await using game = await startServer({ arena: Arena });
  const { roomId } = await game.client().joinOrCreate("arena");
  const room = roomOf(roomId) as Arena;
  await until("the player", () => room.clients.length === 1);
  const patch = () => {
    const before = added.mock.calls.length;
    room.state.players = new MapSchema<number>();
    room.state.players.set("ann", Math.random());
    return [room.broadcastPatch(), room.broadcastPatch(), added.mock.calls.length - before];
  };
  expect(patch()).toEqual([true, false, 2]);
  room.patchRate = 5;
  const { length } = added.mock.calls;
  await until("patches by the timer", () => added.mock.calls.length > length + 3);
  room.patchRate = null;
  expect(await game.recorded.points("colyseus.patch.duration.max")).toEqual({ "room=arena": expect.any(Number) });
  await game.telemetry.shutdown();
  expect(patch()).toEqual([true, false, 0]);
});

test("a patch that throws is timed all the same, and the error is the game's", async () => {
  const error = new Error("onBeforePatch");
  class Arena extends Room {
    override patchRate = null;
    override onBeforePatch() {
      throw error;
    }
  }
  const added = vi.spyOn(Distribution.prototype, "add");
  await using game = await startServer({ arena: Arena });
  const { roomId } = await game.client().joinOrCreate("arena");
  expect(() => roomOf(roomId).broadcastPatch()).toThrow(error);
  expect(added).toHaveBeenCalledTimes(1);
});
