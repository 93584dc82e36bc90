import { matchMaker, Room, type Client } from "@colyseus/core";
import { expect, test } from "vitest";
import { instrument } from "colyseus-otel";
import { dropAndReturn, startServer, until } from "./_server.ts";
import { recordTelemetry } from "./_telemetry.ts";

test("rooms that are defined after a shutdown are left alone, though somebody has wrapped what we had wrapped", async () => {
  const hooks = Room.prototype as unknown as Record<string, () => unknown>;
  const before = { _onLeave: hooks["_onLeave"], __init: hooks["__init"] };
  await using game = await startServer({ lobby: Room });
  const { _onLeave, __init } = hooks;
  const calls: string[] = [];
  Object.assign(Room.prototype, {
    _onLeave(this: Room, ...args: []) {
      calls.push("_onLeave");
      return _onLeave!.apply(this, args);
    },
    __init(this: Room, ...args: []) {
      calls.push("__init");
      return __init!.apply(this, args);
    },
  });
  try {
    await game.telemetry.shutdown();
    class Arena extends Room {
      override onJoin() {}
    }
    const { onJoin } = Arena.prototype;
    game.server.define("arena", Arena);
    const listeners = matchMaker.getHandler("arena").listenerCount("join");
    const room = await game.client().joinOrCreate("arena");
    await room.leave();
    await until("the leave", () => calls.includes("_onLeave"));
    expect(calls).toEqual(["__init", "_onLeave"]);
    expect(Arena.prototype.onJoin).toBe(onJoin);
    expect(matchMaker.getHandler("arena").listenerCount("join")).toBe(listeners);
  } finally {
    Object.assign(Room.prototype, before);
  }
});

test("a player of before the telemetry who drops and returns is no new player, and no join that failed", async () => {
  class Arena extends Room {
    override onDrop(client: Client) {
      void this.allowReconnection(client, 20).catch(() => {});
    }
  }
  await using game = await startServer({ arena: Arena });
  await game.telemetry.shutdown();
  const room = await game.client().joinOrCreate("arena");
  const recorded = recordTelemetry();
  const { tracerProvider, meterProvider } = recorded;
  await using _again = instrument(game.server, { endpoints: false, tracerProvider, meterProvider });
  await dropAndReturn(room);
  expect(await recorded.points("colyseus.clients")).toEqual({ "room=arena": 1 });
  await room.leave();
  await until("the leave", async () => (await recorded.points("colyseus.clients"))["room=arena"] === 0);
  expect(recorded.named("room.join arena")).toEqual([]);
  expect(await recorded.points("colyseus.joins")).toEqual({});
  expect(await recorded.points("colyseus.seat.reservations")).toEqual({});
  expect(recorded.named("session.lifecycle")).toEqual([]);
});
