import type { Room } from "@colyseus/core";
import type { Room as ClientRoom } from "@colyseus/sdk";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { SessionCarrier } from "colyseus-otel";
import { withTraceContext } from "colyseus-otel/client";
import { makeProject } from "./_project.ts";
import { startServer, until } from "./_server.ts";

const page = readFileSync(join(resolve(import.meta.dirname, ".."), "docs/sessions.md"), "utf8");
const [, code] = /<!-- run by test\/sessions-page\.test\.ts: arena-room\.ts -->\n```ts\n([^]*?)```/.exec(page)!;
const project = makeProject({ "arena-room.ts": code! });

afterAll(() => project[Symbol.dispose]());

test("the page's room tells what its players do, and sends them on in the same session", async () => {
  const { ArenaRoom } = await project.load<{ ArenaRoom: new () => Room }>("arena-room.ts");
  await using game = await startServer({ arena: ArenaRoom });
  const first = await game.client().joinOrCreate("arena");
  first.send("loading");
  first.send("loaded", 12);
  first.send("flag");
  first.send("over", 3);
  const second = await game.client().create("arena", withTraceContext({}, await carrierOf(first)));
  await first.leave();
  second.reconnection.enabled = false;
  second.send("cheat");
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  const phases = game.recorded.spans().filter(({ name }) => name.startsWith("session.phase."));
  expect(phases.map(({ name }) => name.slice("session.phase.".length))).toEqual([
    "in_game",
    "loading",
    "in_game",
    "in_game",
  ]);
  expect(phases[1]?.attributes).toMatchObject({ "loading.type": "map", "loading.assets_count": 12 });
  expect(phases[2]?.attributes).toMatchObject({ "game.map": "dust2", "game.result": "won", "game.score": 3 });
  expect(phases[2]?.events.map(({ name }) => name)).toEqual(["flag taken"]);
  expect(game.recorded.one("session.lifecycle").attributes).toMatchObject({
    "session.id": first.sessionId,
    "session.matches_played": 2,
    "session.end_reason": "kicked",
    "session.end_type": "enforcement",
    "colyseus.close.code": 4100,
  });
});

function carrierOf(room: ClientRoom): Promise<SessionCarrier> {
  const carrier = new Promise<SessionCarrier>((resolve) => {
    room.onMessage("next", resolve);
  });
  room.send("next");
  return carrier;
}
