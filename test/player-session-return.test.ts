import { Room, type Client } from "@colyseus/core";
import { expect, test } from "vitest";
import { sessionOf } from "colyseus-otel";
import { drop, dropAndReturn, startServer, until, type TestServer } from "./_server.ts";

class Arena extends Room {
  override onDrop(client: Client) {
    void this.allowReconnection(client, 20).catch(() => {});
  }
  override onReconnect(client: Client) {
    sessionOf(client).phase("loading");
    sessionOf(client).event("assets");
  }
  override onLeave() {}
}

const phases = ({ recorded }: TestServer) =>
  recorded
    .spans()
    .filter(({ name }) => name.startsWith("session.phase."))
    .map(({ name, attributes, events }) => [name.slice(14), attributes["phase.ended_by"], events.length]);

test("a phase that onReconnect begins follows the return, whatever else the hook says", async () => {
  await using game = await startServer({ arena: Arena });
  const room = await game.client().joinOrCreate("arena");
  await dropAndReturn(room);
  await room.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  expect(phases(game)).toEqual([
    ["in_game", "drop", 0],
    ["reconnecting", "return", 0],
    ["in_game", "phase", 0],
    ["loading", "leave", 1],
  ]);
});

class Dropping extends Arena {
  override onDrop(client: Client) {
    super.onDrop(client);
    sessionOf(client).phase("loading");
    sessionOf(client).event("gone");
  }
}

test("who is away is reconnecting, whatever phase the game names", async () => {
  await using game = await startServer({ arena: Dropping });
  const room = await game.client().joinOrCreate("arena");
  room.reconnection.enabled = false;
  await drop(room);
  await until("the drop", async () => (await game.recorded.points("colyseus.drops"))["outcome=held room=arena"] === 1);
  expect(await game.recorded.points("game.sessions")).toEqual({ "phase=in_game": 0, "phase=reconnecting": 1 });
  await game.server.gracefullyShutdown(false);
  expect(phases(game)).toEqual([
    ["in_game", "drop", 0],
    ["reconnecting", "disconnect", 1],
  ]);
});
