import { Room, type Client } from "@colyseus/core";
import { expect, test, vi } from "vitest";
import { sessionOf, type InstrumentOptions } from "colyseus-otel";
import { drop, dropAndReturn, roomOf, startServer, until, type TestServer } from "./_server.ts";

class Arena extends Room {
  override onDrop(client: Client, code?: number) {
    if (code === 1006) {
      void this.allowReconnection(client, 20).catch(() => {});
    }
  }
  override onLeave() {}
}

async function join(game: TestServer, options?: object) {
  const room = await game.client().joinOrCreate("arena", options);
  room.reconnection.enabled = false;
  const client = roomOf(room.roomId).clients.getById(room.sessionId)!;
  return { room, client };
}

async function ended({ recorded }: TestServer) {
  await until("the end of the session", () => recorded.named("session.lifecycle").length === 1);
  const { attributes } = recorded.one("session.lifecycle");
  return [
    attributes["session.end_reason"],
    attributes["session.end_type"],
    attributes["colyseus.close.code"],
    recorded.spans().findLast(({ name }) => name.startsWith("session.phase."))?.attributes["phase.ended_by"],
  ];
}

test("sessionOf(client).end() wins over the close code, and the session ends at the leave, once", async () => {
  await using game = await startServer({ arena: Arena });
  const { client } = await join(game);
  sessionOf(client).end("logout");
  sessionOf(client).end("kicked");
  expect(game.recorded.named("session.lifecycle")).toEqual([]);
  client.leave(4321);
  expect(await ended(game)).toEqual(["kicked", "enforcement", 4321, "disconnect"]);
  expect(await game.recorded.points("game.session.ends")).toEqual({ "end_reason=kicked": 1 });
});

test("a player who is banned while his seat is held ends as banned, by the client that the game knows", async () => {
  await using game = await startServer({ arena: Arena });
  const { room, client } = await join(game);
  await drop(room);
  await until("the drop", async () => (await game.recorded.points("game.sessions"))["phase=reconnecting"] === 1);
  sessionOf(client).end("banned");
  await roomOf(room.roomId).disconnect();
  expect(await ended(game)).toEqual(["banned", "enforcement", 1006, "disconnect"]);
});

test("a reason that was said before a return is not the reason of what comes after it", async () => {
  await using game = await startServer({ arena: Arena });
  const { room, client } = await join(game);
  sessionOf(client).end("kicked");
  await dropAndReturn(room);
  await room.leave();
  expect(await ended(game)).toEqual(["client_quit", "graceful", 4000, "leave"]);
});

test("a session's id is the token's, and without a token Colyseus' sessionId", async () => {
  await using game = await startServer({ arena: Arena });
  const { room, client } = await join(game);
  expect(sessionOf(client).id).toBe(room.sessionId);
  const token = `1:a-session-of-its-own:${Date.now()}:0:0:server::::`;
  const { client: known } = await join(game, { "colyseus-otel": token });
  expect(sessionOf(known).id).toBe("a-session-of-its-own");
});

test("sessionOf() of a player of whom nothing is known has an id, and end() does nothing", async () => {
  const stranger = { sessionId: "stranger" } as Client;
  expect(sessionOf(stranger).id).toBe("stranger");
  sessionOf(stranger).end("kicked");
  await using game = await startServer({ arena: Arena });
  const { client } = await join(game);
  await game.telemetry.shutdown();
  expect(sessionOf(client).id).toBe(client.sessionId);
  sessionOf(client).end("kicked");
});

test.each(["", "x".repeat(65), undefined, 4000, {}])("end(%j) is a TypeError that says what a reason is", (reason) => {
  const client = { sessionId: "a" } as Client;
  expect(() => sessionOf(client).end(reason as string)).toThrow(TypeError);
  expect(() => sessionOf(client).end(reason as string)).toThrow("must be a string of 1 to 64 characters, got");
});

const NAMES: NonNullable<InstrumentOptions["session"]> = {
  endReasonOf: (code) => (code === 4321 ? "kicked" : code === 4000 ? "logout" : undefined),
};

test.each([
  [4321, ["kicked", "enforcement", 4321, "disconnect"]],
  [4000, ["logout", "graceful", 4000, "leave"]],
  [4322, ["unknown", "unknown", 4322, "disconnect"]],
  [1001, ["connection_lost", "connection_failure", 1001, "disconnect"]],
])("session.endReasonOf names the game's own codes and leaves the others: %s is %j", async (code, expected) => {
  await using game = await startServer({ arena: Arena }, { session: NAMES });
  const { client } = await join(game);
  client.leave(code);
  expect(await ended(game)).toEqual(expected);
});

test.each<[string, () => unknown, string]>([
  [
    "throws",
    () => {
      throw new Error("no table");
    },
    "session.endReasonOf(4000) threw Error: no table",
  ],
  ["gives a number", () => 7, "must give a string of 1 to 64 characters or undefined, gave 7"],
])("an endReasonOf that %s is said, and the code's own name is used", async (_what, endReasonOf, message) => {
  const warned = vi.spyOn(console, "warn").mockReturnValue();
  const session = { endReasonOf: endReasonOf as () => string };
  await using game = await startServer({ arena: Arena }, { session });
  const { room } = await join(game);
  await room.leave();
  expect(await ended(game)).toEqual(["client_quit", "graceful", 4000, "leave"]);
  expect(warned.mock.calls.join("\n")).toContain(message);
  warned.mockRestore();
});

test("a shutdown for an error that nobody caught names every end a crash, also where it does not say why it came", async () => {
  await using game = await startServer({ arena: Arena });
  await join(game);
  emitUncaught();
  await game.server.gracefullyShutdown(false);
  expect(await ended(game)).toEqual(["crash", "crash", 4001, "disconnect"]);
});

test("a game that has lived on after an error that nobody caught has not crashed", async () => {
  await using game = await startServer({ arena: Arena });
  await join(game);
  emitUncaught();
  const then = performance.now();
  await until("a second", () => performance.now() - then > 1000);
  await game.server.gracefullyShutdown(false);
  expect(await ended(game)).toEqual(["server_shutdown", "unknown", 4001, "disconnect"]);
});

/** As Node does, before it looks for the game's own handler. */
function emitUncaught(): void {
  (process as NodeJS.EventEmitter).emit("uncaughtExceptionMonitor", new Error("a bug"), "uncaughtException");
}

test("a second signal during the game's onBeforeShutdown tells the orchestrator once, and keeps the game's own order", async () => {
  const said: string[] = [];
  const orchestrator = {
    name: "counting",
    connect() {},
    ready: async () => {},
    shutdown: async () => void said.push("orchestrator"),
    close() {},
  };
  await using game = await startServer({ arena: Arena }, { orchestrator });
  await join(game);
  const busy = Promise.withResolvers<void>();
  game.server.onBeforeShutdown(async () => {
    said.push("before");
    await busy.promise;
  });
  game.server.onShutdown(() => void said.push("after"));
  const first = game.server.gracefullyShutdown(false);
  const second = game.server.gracefullyShutdown(false);
  busy.resolve();
  await Promise.all([first, second]);
  expect(said.filter((word) => word === "orchestrator")).toHaveLength(1);
  expect(said.slice(0, 2)).toEqual(["before", "before"]);
  expect(said).toContain("after");
  expect(await ended(game)).toEqual(["server_shutdown", "unknown", 4001, "disconnect"]);
});

test("a reason is that of the room in which it was said, not of the one into which the session goes on", async () => {
  await using game = await startServer({ arena: Arena }, { session: { linger: 15_000 } });
  const first = await join(game);
  const carrier = sessionOf(first.client).carrier();
  sessionOf(first.client).end("to_match");
  await first.room.leave();
  const second = await join(game, { ...carrier });
  expect(sessionOf(second.client).id).toBe(sessionOf(first.client).id);
  await second.room.leave();
  await game.server.gracefullyShutdown(false);
  expect(await ended(game)).toEqual(["client_quit", "graceful", 4000, "leave"]);
});
