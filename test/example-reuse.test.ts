import { matchMaker } from "@colyseus/core";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { loadArenaMap } from "../example-server/arena/tiled-map.ts";
import { arenaMap, server } from "../example-server/game.ts";
import { orchestration } from "../example-server/orchestrator.ts";
import { startSidecar, type Sidecar } from "../standins/agones-sidecar.ts";

let sidecar: Sidecar;

beforeAll(async () => {
  arenaMap.current = await loadArenaMap("crossfire");
  await server.listen(0, "127.0.0.1");
});
beforeEach(async () => {
  sidecar = await startSidecar();
  vi.stubEnv("AGONES_SDK_HTTP_PORT", String(sidecar.httpPort));
  vi.stubEnv("ARENA_REUSE", "1");
  return () => sidecar.close();
});
afterAll(() => {
  vi.unstubAllEnvs();
});

async function createRoom() {
  const { roomId } = await matchMaker.createRoom("arena", {});
  return matchMaker.getLocalRoomById(roomId);
}

/** Until its end has been told to whoever listens. */
async function dispose(room: Awaited<ReturnType<typeof createRoom>>): Promise<void> {
  const told = new Promise((resolve) => matchMaker.getHandler("arena").once("dispose", resolve));
  await room.disconnect();
  await told;
}

test("says Ready when the last room is gone, and not before", async () => {
  const [first, second] = [await createRoom(), await createRoom()];
  await dispose(first);
  await dispose(second);
  await sidecar.waitFor(({ state }) => state === "Ready");
  expect(sidecar.calls).toEqual({ ready: 1 });
});

test("does not where nobody asked for it", async () => {
  vi.stubEnv("ARENA_REUSE", undefined);
  await dispose(await createRoom());
  vi.stubEnv("ARENA_REUSE", "1");
  await dispose(await createRoom());
  await sidecar.waitFor(({ state }) => state === "Ready");
  expect(sidecar.calls).toEqual({ ready: 1 });
});

test("says why the sidecar was not told, and plays on", async () => {
  await sidecar.close();
  const said = vi.spyOn(console, "error").mockReturnValue();
  await dispose(await createRoom());
  await expect.poll(() => said.mock.calls.flat().join()).toMatch(/^the sidecar at \S+ was not told Ready: /);
  await dispose(await createRoom());
});

test("an orchestrator that is not known is a TypeError", () => {
  expect(orchestration("none")).toEqual({});
  expect(orchestration("agones").orchestrator?.name).toBe("agones");
  expect(() => orchestration("nomad")).toThrow(
    new TypeError('ARENA_ORCHESTRATOR must be one of agones, gamelift, none, got "nomad"'),
  );
});

// The last one: nothing comes after it.
test("does not at a shutdown, which is no end of a match", async () => {
  await createRoom();
  await server.gracefullyShutdown(false);
  await expect.poll(() => matchMaker.stats.local.roomCount).toBe(0);
  const asked = await fetch(`http://localhost:${sidecar.httpPort}/gameserver`);
  expect(asked.status).toBe(200);
  expect(sidecar.calls).toEqual({ getGameServer: 1 });
});
