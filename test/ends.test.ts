import { Room, type Client } from "@colyseus/core";
import type { Room as ClientRoom } from "@colyseus/sdk";
import { expect, test } from "vitest";
import { on17 } from "./_colyseus.ts";
import { drop, roomOf, startServer, until, type TestServer } from "./_server.ts";

class Arena extends Room {
  override onLeave(_client: Client, _code?: number): void | Promise<unknown> {}
}

class Held extends Arena {
  seconds = 20;
  override onLeave(client: Client, code?: number): void | Promise<unknown> {
    return code === 4000 ? undefined : this.allowReconnection(client, this.seconds).catch(() => {});
  }
}

class Refusing extends Held {
  override onReconnect() {
    throw new Error("too late");
  }
}

/** `kickClient()`, which 0.17 has on the client. */
function kick({ roomId, sessionId }: ClientRoom, code: number): void {
  const room = roomOf(roomId);
  if (on17) {
    room.clients.getById(sessionId)!.leave(code);
  } else {
    room.kickClient(sessionId, code);
  }
}

async function ended(game: TestServer) {
  await until("the end of the session", () => game.recorded.named("session.lifecycle").length === 1);
  const { attributes } = game.recorded.one("session.lifecycle");
  const phase = game.recorded.spans().findLast(({ name }) => name.startsWith("session.phase."));
  return {
    reason: attributes["session.end_reason"],
    type: attributes["session.end_type"],
    code: attributes["colyseus.close.code"],
    phase: attributes["session.end_phase"],
    endedBy: phase?.attributes["phase.ended_by"],
  };
}

const quit = { reason: "client_quit", type: "graceful", code: 4000, phase: "in_game", endedBy: "leave" };
const lost = {
  reason: "connection_lost",
  type: "connection_failure",
  code: 1006,
  phase: "in_game",
  endedBy: "disconnect",
};
const held = { phase: "reconnecting" };
const shutdown = { reason: "server_shutdown", type: "unknown", code: 4001, phase: "in_game", endedBy: "disconnect" };

test.each<[string, typeof Arena, (game: TestServer, room: ClientRoom) => unknown, object]>([
  ["a player who leaves", Arena, (_game, room) => room.leave(), quit],
  ["a socket that breaks", Arena, (_game, room) => drop(room), lost],
  ["a browser that has gone offline", Arena, (_game, room) => room.connection.close(4010), { ...lost, code: 4010 }],
  ["room.disconnect()", Arena, (_game, room) => roomOf(room.roomId).disconnect(), quit],
  [
    "room.disconnect() of a server that restarts",
    Arena,
    (_game, room) => roomOf(room.roomId).disconnect(4010),
    { ...shutdown, reason: "server_restart", code: 4010 },
  ],
  [
    "kickClient() with a code of the game's own",
    Arena,
    (_game, room) => kick(room, 4321),
    { ...shutdown, reason: "unknown", code: 4321 },
  ],
  ["a shutdown", Arena, (game) => game.server.gracefullyShutdown(false), shutdown],
  [
    "a seat that was held in vain",
    class extends Held {
      override seconds = 0.05;
    },
    (_game, room) => drop(room),
    { ...lost, ...held, reason: "timeout" },
  ],
  [
    "a return that onReconnect refuses",
    Refusing,
    async (_game, room) => {
      Object.assign(room.reconnection, {
        enabled: true,
        minUptime: 0,
        delay: 1,
        minDelay: 1,
        maxDelay: 1,
        maxRetries: 1,
      });
      await drop(room);
    },
    { ...lost, ...held, reason: "timeout", code: 4003 },
  ],
  [
    "a seat that is still held when the room ends",
    Held,
    async (_game, room) => (await hold(room)).disconnect(),
    { ...lost, ...held },
  ],
  [
    "a seat that is still held when the server shuts down",
    Held,
    async (game, room) => {
      await hold(room);
      await game.server.gracefullyShutdown(false);
    },
    { ...shutdown, ...held, code: 1006 },
  ],
])("%s is told in the session's end", async (_name, klass, leave, expected) => {
  await using game = await startServer({ arena: klass });
  const room = await game.client().joinOrCreate("arena");
  room.reconnection.enabled = false;
  await until("the join", () => game.recorded.named("room.join arena").length === 1);
  await leave(game, room);
  expect(await ended(game)).toEqual(expected);
});

/** Drops the player and waits until the room holds its seat. */
async function hold(room: ClientRoom): Promise<Room> {
  const { roomId, sessionId } = room;
  await drop(room);
  const here = roomOf(roomId);
  await until("the held seat", () => (here["_reservedSeats"] as Record<string, unknown>)[sessionId]);
  return here;
}
