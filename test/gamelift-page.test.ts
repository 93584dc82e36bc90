import type { Server } from "@colyseus/core";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Telemetry } from "colyseus-otel";
import type { GameLift } from "colyseus-otel/gamelift";
import { startGameLift } from "../standins/gamelift-socket.ts";
import { useGameLift } from "./_gamelift.ts";
import { makeProject } from "./_project.ts";

const page = readFileSync(join(resolve(import.meta.dirname, ".."), "docs/gamelift.md"), "utf8");
const [, code] = /<!-- run by test\/gamelift-page\.test\.ts: game\.ts -->\n```ts\n([^]*?)```/.exec(page)!;
const project = makeProject({
  "game.ts": code!,
  "app.config.ts": `
    import { defineServer } from "@colyseus/core";
    export const server = defineServer({ rooms: {}, greet: false });`,
  "maps.ts": `
    export const loaded: string[] = [];
    export const loadMap = (map: string) => void loaded.push(map);`,
});

afterAll(() => project[Symbol.dispose]());

test("the page's server loads the map that the game session names, and makes it active", async () => {
  await using service = await startGameLift();
  useGameLift(service);
  const { fleet, telemetry } = await project.load<{ fleet: GameLift; telemetry: Telemetry }>("game.ts");
  const { server } = await project.load<{ server: Server }>("app.config.ts");
  const { loaded } = await project.load<{ loaded: string[] }>("maps.ts");
  await server.listen(0);
  await telemetry.ready;
  const id = service.createGameSession({ GameProperties: { map: "crossfire" } });
  await service.waitFor("the game session", () => service.gameSessions.get(id)?.status === "ACTIVE");
  expect(loaded).toEqual(["crossfire"]);
  expect(fleet.gameSession?.GameSessionId).toBe(id);
  await server.gracefullyShutdown(false);
  expect(service.process().state).toBe("terminated");
  await telemetry.shutdown();
});
