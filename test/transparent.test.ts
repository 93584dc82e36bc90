import { matchMaker, Room, type Client } from "@colyseus/core";
import type { Span, Tracer, TracerProvider } from "@opentelemetry/api";
import { afterEach, expect, test, vi } from "vitest";
import { drop, roomOf, startServer, until } from "./_server.ts";
import { recordTelemetry } from "./_telemetry.ts";

const KEYS = ["onCreate", "onAuth", "onJoin", "onLeave", "onDispose"] as const;

afterEach(() => vi.restoreAllMocks());

/** A room whose hooks return what a test gave them. */
function returning(values: Partial<Record<(typeof KEYS)[number], () => unknown>>) {
  class Arena extends Room {}
  Object.assign(Arena.prototype, values);
  return Arena as typeof Arena & { readonly prototype: Required<Pick<Room, (typeof KEYS)[number]>> };
}

test("what a hook returns, throws or rejects with is the game's own object", async () => {
  const value = { spawn: 1 };
  const promise = Promise.resolve(value);
  const error = new Error("thrown");
  const rejected = Promise.reject(new Error("rejected"));
  rejected.catch(() => {});
  const thrower = () => {
    throw error;
  };
  const Arena = returning({
    onCreate: () => value,
    onAuth: () => promise,
    onJoin: thrower,
    onLeave: () => rejected,
    onDispose: () => undefined,
  });
  await using _game = await startServer({ arena: Arena });
  const { prototype } = Arena;
  const room = new Arena();
  const client = { sessionId: "s" } as Client;
  expect(prototype.onCreate.call(room, {})).toBe(value);
  expect(prototype.onAuth.call(room, client, {}, {} as never)).toBe(promise);
  expect(() => prototype.onJoin.call(room, client)).toThrow(error);
  expect(prototype.onLeave.call(room, client)).toBe(rejected);
  expect(prototype.onDispose.call(room)).toBe(undefined);
  expect(prototype.onLeave.call(room, "called by hand" as never)).toBe(rejected);
});

test("the answer to a request, and the error of a refused one, are what Colyseus made", async () => {
  await using game = await startServer({ arena: Room });
  const answers: unknown[] = [];
  const { controller } = matchMaker;
  const wrapped = controller.invokeMethod;
  // Ours is inside this one: what comes out of it is what the HTTP route gets.
  controller.invokeMethod = (...args) => {
    const answer = wrapped.apply(controller, args);
    answers.push(answer);
    return answer;
  };
  try {
    expect((await game.request("create", "arena")).status).toBe(200);
    expect((await game.request("create", "nowhere")).body).toMatchObject({
      code: 520,
      error: 'provided room name "nowhere" not defined',
    });
    expect(answers.every((answer) => answer instanceof Promise)).toBe(true);
  } finally {
    controller.invokeMethod = wrapped;
  }
});

test("a rejection that nobody handles in bare Colyseus is unhandled under us as well, with the same error", async () => {
  const error = new Error("late onLeave");
  class Arena extends Room {
    override onDrop(client: Client) {
      this.allowReconnection(client, 0.01);
    }
    override onLeave() {
      return Promise.reject(error);
    }
  }
  await using game = await startServer({ arena: Arena });
  const theirs = process.listeners("unhandledRejection");
  const unhandled: unknown[] = [];
  const story = async () => {
    unhandled.length = 0;
    const room = await game.client().joinOrCreate("arena");
    room.reconnection.enabled = false;
    await drop(room);
    await until("the unhandled rejection", () => unhandled.length > 0);
    await roomOf(room.roomId)?.disconnect();
    return unhandled.map((reason) => reason === error);
  };
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", (reason) => void unhandled.push(reason));
  try {
    const under = await story();
    await game.telemetry.shutdown();
    expect(under).toEqual(await story());
    expect(under).toEqual([true]);
  } finally {
    process.removeAllListeners("unhandledRejection");
    theirs.forEach((listener) => process.on("unhandledRejection", listener));
  }
});

/** Every function that we could have replaced. */
function functions(klass: { readonly prototype: object }): unknown[][][] {
  const own = (owner: object) =>
    Object.entries(Object.getOwnPropertyDescriptors(owner)).map(([key, { value, get, set }]) => [
      key,
      value ?? get ?? set,
    ]);
  return [matchMaker.controller, Room.prototype, Room, klass.prototype, klass].map(own);
}

test("off is absence: before instrument() and after shutdown() every function is the very same, and no handler has a listener of ours", async () => {
  class Arena extends Room {
    static override async onAuth() {
      return true;
    }
    override onCreate() {}
    override onJoin() {}
    override onLeave() {}
    override onDispose() {}
  }
  const before = functions(Arena);
  const game = await startServer({ arena: Arena });
  expect(same(functions(Arena), before)).toBe(false);
  await (await game.client().joinOrCreate("arena")).leave();
  await until("the disposal", () => game.recorded.named("room.on_dispose arena").length === 1);
  const handler = matchMaker.getHandler("arena");
  await game.telemetry.shutdown();
  expect(handler.eventNames()).toEqual([]);
  expect(same(functions(Arena), before)).toBe(true);
  expect(Object.hasOwn(game.server, "listen")).toBe(false);
  expect(Object.hasOwn(game.server, "gracefullyShutdown")).toBe(false);
  await game[Symbol.asyncDispose]();
});

function same(some: unknown[][][], others: unknown[][][]): boolean {
  return some.every(
    (list, owner) =>
      list.length === others[owner]!.length &&
      list.every(([key, value], at) => key === others[owner]![at]![0] && value === others[owner]![at]![1]),
  );
}

test("the game goes on without telemetry after shutdown(), also in rooms that are open", async () => {
  const left: number[] = [];
  class Arena extends Room {
    override onLeave(_client: Client, code?: number) {
      left.push(code!);
    }
  }
  await using game = await startServer({ arena: Arena });
  const room = await game.client().joinOrCreate("arena");
  await until("the join", () => game.recorded.named("room.join arena").length === 1);
  await game.telemetry.shutdown();
  expect(game.recorded.one("session.lifecycle").attributes["session.end_reason"]).toBe("telemetry_shutdown");
  const told = game.recorded.spans().length;
  const later = await game.client().joinOrCreate("arena");
  await Promise.all([room.leave(), later.leave()]);
  await until("both leaves", () => left.length === 2);
  expect(game.recorded.spans()).toHaveLength(told);
});

test.each(["startSpan", "end", "setAttribute"] as const)(
  "a provider whose %s throws does not hurt the game",
  async (method) => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const recorded = recordTelemetry();
    let broken = false;
    let faults = 0;
    const broke = () => {
      if (broken) {
        faults += 1;
        throw new Error("the provider is broken");
      }
    };
    const breakingSpan = (span: Span): Span => {
      const breaking = Object.create(span) as Span;
      breaking.end = (at) => (method === "end" && broke(), span.end(at));
      breaking.setAttribute = (key, value) => (method === "setAttribute" && broke(), span.setAttribute(key, value));
      return breaking;
    };
    const tracerProvider: TracerProvider = {
      getTracer(...scope) {
        const tracer = recorded.tracerProvider.getTracer(...scope);
        const startSpan: Tracer["startSpan"] = (...args) => {
          if (method === "startSpan") {
            broke();
          }
          return breakingSpan(tracer.startSpan(...args));
        };
        return { startSpan, startActiveSpan: tracer.startActiveSpan.bind(tracer) };
      },
    };
    const seen: string[] = [];
    class Arena extends Room {
      static override async onAuth() {
        seen.push("auth");
        return true;
      }
      override onCreate() {
        seen.push("create");
      }
      override onJoin() {
        seen.push("join");
      }
      override onLeave() {
        seen.push("leave");
      }
      override onDispose() {
        seen.push("dispose");
      }
    }
    await using game = await startServer({ arena: Arena }, { tracerProvider }, recorded);
    broken = true;
    const room = await game.client().joinOrCreate("arena", { traceparent: "x" });
    await room.leave();
    await until("the disposal", () => seen.includes("dispose"));
    expect(seen).toEqual(["auth", "create", "join", "leave", "dispose"]);
    expect(faults).toBeGreaterThan(method === "setAttribute" ? 0 : 4);
    broken = false;
  },
);

test("a provider that throws at once does not keep a server from starting", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const tracerProvider: TracerProvider = {
    getTracer: () => {
      throw new Error("the provider is broken");
    },
  };
  const recorded = { ...recordTelemetry(), tracerProvider: tracerProvider as never };
  await using game = await startServer({ arena: class Arena extends Room {} }, {}, recorded);
  await game.telemetry.ready;
  expect(warned.mock.calls.flat().join()).toContain("the provider is broken");
});

test("a wrapper that somebody put around ours stays when we go, and calls through", async () => {
  const calls: string[] = [];
  const wrap = (klass: { prototype: { onJoin(): void } }) => {
    const { onJoin } = klass.prototype;
    klass.prototype.onJoin = function wrapped(this: object) {
      calls.push("theirs");
      return onJoin.call(this);
    };
    return klass.prototype.onJoin;
  };
  class Arena extends Room {
    override onJoin() {
      calls.push("the game's");
    }
  }
  class Ranked extends Room {
    override onJoin() {
      calls.push("the game's");
    }
  }
  await using game = await startServer({ arena: Arena, ranked: Ranked });
  const wrapped = [wrap(Arena), wrap(Ranked)];
  await game.telemetry.shutdown();
  expect([Arena.prototype.onJoin, Ranked.prototype.onJoin]).toEqual(wrapped);
  await game.client().joinOrCreate("arena");
  await game.client().joinOrCreate("ranked");
  expect(calls).toEqual(["theirs", "the game's", "theirs", "the game's"]);
  expect(game.recorded.named("room.on_join arena")).toEqual([]);
});
