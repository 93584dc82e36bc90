import { afterEach, expect, test, vi } from "vitest";
import { on17 } from "./_colyseus.ts";
import { looping, LOOPS } from "./_loops.ts";
import { roomOf, startServer, until } from "./_server.ts";

afterEach(() => vi.restoreAllMocks());

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

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

test.skipIf(on17)("a game loop that is ended by a call without a function is ended", async () => {
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
    arena: looping("setSimulationInterval", tick),
    lobby: looping("setSimulationInterval", () => {}),
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
