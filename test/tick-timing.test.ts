import { MapSchema, schema, t } from "@colyseus/schema";
import { Room } from "@colyseus/core";
import { afterEach, expect, test, vi } from "vitest";
import { Distribution } from "../src/telling/distribution.ts";
import { looping, LOOPS } from "./_loops.ts";
import { roomOf, startServer, until } from "./_server.ts";

const State = schema({ players: t.map("number") });

afterEach(() => vi.restoreAllMocks());

test.each(LOOPS)("each call of the function given to %s is one tick", async (method) => {
  const added = vi.spyOn(Distribution.prototype, "add");
  const tick = vi.fn();
  await using game = await startServer({ arena: looping(method, tick) });
  await game.client().joinOrCreate("arena");
  await until("twenty ticks", () => tick.mock.calls.length >= 20);
  expect(added.mock.calls.length).toBe(tick.mock.calls.length);
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
