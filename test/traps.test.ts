import { matchMaker, Room, type Client } from "@colyseus/core";
import { context, trace } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { on17 } from "./_colyseus.ts";
import { roomOf, startServer, until } from "./_server.ts";

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
  const rooms = on17 ? { arena: Arena } : { arena: Arena, stepped: Stepped, fixed: Fixed };
  await using game = await startServer(rooms);
  for (const name of Object.keys(rooms)) {
    await game.client().create(name);
  }
  await until("the timers", () => seen.size === (on17 ? 3 : 7));
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
