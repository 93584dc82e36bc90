import { matchMaker, Room, RoomPlugin, type Client } from "@colyseus/core";
import { context, trace } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { dropAndReturn, roomOf, startServer, until } from "./_server.ts";

const HOOKS = ["onCreate", "onAuth", "onJoin", "onDrop", "onReconnect", "onLeave", "onDispose"] as const;

test("a hook that a class does not define stays undefined, and one that it inherits stays inherited", async () => {
  class Base extends Room {
    override onJoin(_client: Client, _options: unknown) {}
  }
  class Bare extends Base {}
  await using game = await startServer({ arena: Bare });
  const room = await game.client().joinOrCreate("arena");
  const instance = roomOf(room.roomId);
  for (const hook of HOOKS.filter((key) => key !== "onJoin" && key !== "onAuth")) {
    expect([hook, hook in instance]).toEqual([hook, false]);
  }
  expect(Object.getOwnPropertyNames(Bare.prototype)).toEqual(["constructor"]);
  expect(Bare.onAuth).toBe(Room.onAuth);
  expect(Bare.prototype.onAuth).toBe(Room.prototype.onAuth);
  const { name, length } = Bare.prototype.onJoin;
  expect({ name, length }).toEqual({ name: "onJoin", length: 2 });
});

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

test.each(["before", "after"])(
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
  await dropAndReturn(room);
  expect(caught).toEqual([
    "onJoin: no spawn point",
    "onDispose: late",
    "onDrop: no ladder",
    "onReconnect: no bot to replace",
  ]);
  expect(game.recorded.one("room.on_drop held").status.message).toBe("Error: no ladder");
  expect(game.recorded.one("room.on_reconnect held").status.message).toBe("Error: no bot to replace");
  expect(await game.recorded.points("colyseus.reconnects")).toEqual({ "outcome=returned room=held": 1 });
  expect(game.recorded.one("room.on_join arena").status).toEqual({ code: 2, message: "Error: no spawn point" });
  expect(game.recorded.one("room.on_dispose arena").status.message).toBe("Error: late");
});

test("timers of the room that onCreate starts do not run under the ended request", async () => {
  const seen = new Map<string, unknown>();
  const note = (timer: string) => () => void seen.set(timer, trace.getSpan(context.active()));
  class Arena extends Room {
    override autoDispose = false;
    override broadcastPatch() {
      note("patchRate")();
      return super.broadcastPatch();
    }
    override onCreate() {
      this.clock.setTimeout(note("clock"), 1);
      this.patchRate = 5;
      this.setSimulationInterval(note("setSimulationInterval"), 5);
    }
  }
  class Stepped extends Room {
    override autoDispose = false;
    override broadcastUnreliablePatch() {
      note("unreliablePatchRate")();
      return false;
    }
    override onCreate() {
      this.setTimestep(note("setTimestep"), 5);
      Object.assign(this, {
        _serializer: Object.assign(Object.create(this["_serializer"]), { hasUnreliableFields: true }),
      });
      this.unreliablePatchRate = 5;
    }
  }
  class Fixed extends Room {
    override autoDispose = false;
    override broadcastPatch() {
      note("setPatchRate")();
      return super.broadcastPatch();
    }
    override onCreate() {
      this.setPatchRate(5);
      this.setFixedTimestep(note("setFixedTimestep"), 200);
    }
  }
  await using game = await startServer({ arena: Arena, stepped: Stepped, fixed: Fixed });
  for (const name of ["arena", "stepped", "fixed"]) {
    await game.client().create(name);
  }
  await until("the timers", () => seen.size === 7);
  expect([...seen].filter(([, span]) => span !== undefined)).toEqual([]);
});

test.each(["a request", "server code"])(
  "a room that is defined after instrument() is traced from the first hook on, made by %s",
  async (maker) => {
    class Late extends Room {
      static override async onAuth() {
        return true;
      }
      override onCreate() {}
      override onJoin() {}
    }
    await using game = await startServer({});
    game.server.define("late", Late);
    if (maker === "server code") {
      await matchMaker.createRoom("late", {});
      expect(game.played()).toBe("room.create late");
    }
    await game.client().joinOrCreate("late");
    await until("the join", () => game.recorded.named("room.join late").length === 1);
    expect(game.recorded.named("room.auth late")).toHaveLength(1);
    expect(game.recorded.named("room.create late")).toHaveLength(1);
    expect(game.recorded.named("room.on_join late")).toHaveLength(1);
    expect(await game.recorded.points("colyseus.rooms")).toEqual({ "room=late": 1 });
    expect(await game.recorded.points("colyseus.clients")).toEqual({ "room=late": 1 });
  },
);

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

test("a span of the game's own hangs under the hook's, and the active span in a hook is ours", async () => {
  const work = async (name: string) => {
    trace.getActiveSpan()?.setAttribute("game.note", name);
    await Promise.resolve();
    game.recorded.tracerProvider.getTracer("game").startSpan(name).end();
  };
  class Arena extends Room {
    static override async onAuth() {
      await work("in auth");
      return true;
    }
    override onCreate() {
      return work("in create");
    }
    override onJoin() {
      return work("in join");
    }
    override onLeave() {
      return work("in leave");
    }
    override onDispose() {
      return work("in dispose");
    }
  }
  await using game = await startServer({ arena: Arena });
  const room = await game.client().joinOrCreate("arena");
  await room.leave();
  await until("the disposal", () => game.recorded.named("room.on_dispose arena").length === 1);
  expect(game.played()).toMatchInlineSnapshot(`
    "matchmake arena
      room.auth arena
        in auth
      room.create arena
        in create
      session.started
        session.phase.in_game
        session.lifecycle
        room.on_leave arena  ~> room.join arena
          in leave
      room.join arena
        room.on_join arena
          in join
    room.on_dispose arena  ~> room.create arena
      in dispose"
  `);
  const noted = game.recorded
    .spans()
    .flatMap(({ name, attributes }) => (attributes["game.note"] ? [`${attributes["game.note"]}: ${name}`] : []));
  expect(noted).toEqual([
    "in auth: room.auth arena",
    "in create: room.create arena",
    "in join: room.on_join arena",
    "in leave: room.on_leave arena",
    "in dispose: room.on_dispose arena",
  ]);
});
