import { matchMaker, Room, type Client } from "@colyseus/core";
import { expect, test } from "vitest";
import { drop, roomOf, startServer, until } from "./_server.ts";

class Arena extends Room {
  override onDrop(client: Client) {
    void this.allowReconnection(client, 20).catch(() => {});
  }
}

test("a return that another one overtakes, while the old connection is still open, ends as interrupted", async () => {
  await using game = await startServer({ arena: Arena });
  const room = await game.client().joinOrCreate("arena");
  room.reconnection.enabled = false;
  const { roomId, sessionId, reconnectionToken } = room;
  const url = `${game.url.replace("http", "ws")}/${matchMaker.processId}/${roomId}`;
  const attempts = roomOf(roomId)["_reconnectionAttempts"];
  const returns = async () => {
    const before = Object.values(attempts)[0];
    const socket = new WebSocket(`${url}?sessionId=${sessionId}&reconnectionToken=${reconnectionToken.split(":")[1]}`);
    await until("the attempt", () => Object.values(attempts).some((attempt) => attempt !== before));
    return socket;
  };
  await returns();
  // Core forgets the first one, which never settles.
  await returns();
  await drop(room);
  const { points, named } = game.recorded;
  await until("the return", async () => (await points("colyseus.reconnects"))["outcome=returned room=arena"] === 1);
  expect(await points("colyseus.joins")).toEqual({
    "kind=new outcome=accepted room=arena": 1,
    "kind=reconnect outcome=error room=arena": 1,
    "kind=reconnect outcome=accepted room=arena": 1,
  });
  expect(named("room.join arena").map(({ attributes }) => attributes["error.type"])).toEqual([
    undefined,
    "interrupted",
    undefined,
  ]);
});
