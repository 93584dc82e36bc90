import { Room, RoomPlugin, type Client } from "@colyseus/core";
import { expect, test } from "vitest";
import { on17 } from "./_colyseus.ts";
import { drop, dropAndReturn, startServer, until } from "./_server.ts";

test("classes that extend each other, both defined as rooms, with super calls: one span a hook", async () => {
  class Base extends Room {
    static override async onAuth(_token: string, _options: unknown, _context: unknown): Promise<unknown> {
      return { id: 1 };
    }
    override async onCreate(_options: unknown) {
      await Promise.resolve();
    }
    override async onJoin(_client: Client, _options: unknown) {}
    override async onDrop(client: Client) {
      void this.allowReconnection(client, 20);
    }
    override async onReconnect(_client: Client) {}
    override onLeave(_client: Client) {}
    override async onDispose() {}
  }
  class Ranked extends Base {
    static override async onAuth(token: string, options: unknown, authContext: unknown) {
      return super.onAuth(token, options, authContext);
    }
    override async onCreate(options: unknown) {
      await super.onCreate(options);
    }
    override async onJoin(client: Client, options: unknown) {
      await super.onJoin(client, options);
    }
    override async onDrop(client: Client) {
      await super.onDrop(client);
    }
    override async onReconnect(client: Client) {
      await super.onReconnect(client);
    }
    override onLeave(client: Client) {
      super.onLeave(client);
    }
    override async onDispose() {
      await super.onDispose();
    }
  }
  await using game = await startServer({ base: Base, ranked: Ranked, again: Ranked });
  for (const name of ["base", "ranked", "again"]) {
    const room = await game.client().joinOrCreate(name);
    await dropAndReturn(room);
    await room.leave();
    await until("the disposal", () => game.recorded.named(`room.on_dispose ${name}`).length === 1);
    expect(game.played().replaceAll(name, "ROOM")).toMatchInlineSnapshot(`
      "matchmake ROOM
        room.auth ROOM
        room.create ROOM
        session.started
          session.phase.in_game
          session.lifecycle
          session.phase.reconnecting
          room.on_drop ROOM  ~> room.join ROOM
          room.join ROOM  ~> room.join ROOM
          session.phase.in_game
          room.on_reconnect ROOM  ~> room.join ROOM
          room.on_leave ROOM  ~> room.join ROOM
        room.join ROOM
          room.on_join ROOM
      room.on_dispose ROOM  ~> room.create ROOM"
    `);
    game.recorded.reset();
  }
});

test.skipIf(on17).each(["before", "after"])(
  "a class that is met %s its first room with plugins gives one span a hook, and the plugins run",
  async (order) => {
    const ran: string[] = [];
    class Logged extends RoomPlugin {
      override onJoin() {
        ran.push("plugin");
      }
    }
    class Arena extends Room {
      override plugins = { logged: new Logged() };
      override onJoin() {
        ran.push("room");
      }
    }
    if (order === "after") {
      (new Arena() as unknown as { __init(): void }).__init();
    }
    await using game = await startServer({ arena: Arena, again: Arena });
    const room = await game.client().joinOrCreate("arena");
    await room.leave();
    await game.client().joinOrCreate("again");
    await until("the second join", () => game.recorded.named("room.join again").length === 1);
    expect(ran).toEqual(["plugin", "room", "plugin", "room"]);
    expect(game.recorded.named("room.on_join arena")).toHaveLength(1);
    expect(game.recorded.named("room.on_join again")).toHaveLength(1);
  },
);

test("a room with onUncaughtException: its handler sees what it saw without us, and the span has the error", async () => {
  const caught: string[] = [];
  class Arena extends Room {
    override onUncaughtException(error: Error, method: string) {
      caught.push(`${method}: ${(error.cause as Error).message}`);
    }
    override async onJoin() {
      throw new Error("no spawn point");
    }
    override onDispose() {
      throw new Error("late");
    }
  }
  class Held extends Room {
    override onUncaughtException(error: Error, method: string) {
      caught.push(`${method}: ${(error.cause as Error).message}`);
    }
    override onDrop(client: Client) {
      void this.allowReconnection(client, 20);
      throw new Error("no ladder");
    }
    override onReconnect() {
      throw new Error("no bot to replace");
    }
  }
  await using game = await startServer({ arena: Arena, held: Held });
  await expect(game.client().joinOrCreate("arena")).rejects.toThrow("no spawn point");
  await until("the disposal", () => game.recorded.named("room.on_dispose arena").length === 1);
  const room = await game.client().joinOrCreate("held");
  room.reconnection.enabled = false;
  await drop(room);
  await until("the drop", () => game.recorded.named("room.on_drop held").length === 1);
  const back = game.client().reconnect(room.reconnectionToken);
  await until("the refusal", () => game.recorded.named("session.lifecycle").length === 2);
  await back.catch(() => {});
  expect(caught).toEqual([
    "onJoin: no spawn point",
    "onDispose: late",
    "onDrop: no ladder",
    "onReconnect: no bot to replace",
  ]);
  expect(game.recorded.one("room.on_drop held").status.message).toBe("Error: no ladder");
  expect(game.recorded.one("room.on_reconnect held").status.message).toBe("Error: no bot to replace");
  expect(await game.recorded.points("colyseus.reconnects")).toEqual({ "outcome=refused room=held": 1 });
  expect(game.recorded.one("room.on_join arena").status).toEqual({ code: 2, message: "Error: no spawn point" });
  expect(game.recorded.one("room.on_dispose arena").status.message).toBe("Error: late");
});

test("a class that is defined again under another name keeps the very functions that it has", async () => {
  class Arena extends Room {
    static override async onAuth() {
      return true;
    }
    override onJoin() {}
  }
  await using game = await startServer({ arena: Arena });
  const { onJoin } = Arena.prototype;
  const { onAuth } = Arena;
  game.server.define("again", Arena);
  await game.client().joinOrCreate("again");
  expect(Arena.prototype.onJoin).toBe(onJoin);
  expect(Arena.onAuth).toBe(onAuth);
});
