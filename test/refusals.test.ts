import { Room, ServerError, type Client } from "@colyseus/core";
import { expect, test } from "vitest";
import { roomOf, startServer, until, type TestServer } from "./_server.ts";

class Arena extends Room {
  override autoDispose = false;
}

/** A room whose hooks do what a test says. */
function refusing(
  hooks: Partial<Record<"staticAuth" | "onAuth" | "onCreate" | "onJoin", (...args: unknown[]) => unknown>>,
) {
  const { staticAuth, ...instance } = hooks;
  class Refusing extends Room {}
  Object.assign(Refusing.prototype, instance);
  return staticAuth ? Object.assign(Refusing, { onAuth: staticAuth }) : Refusing;
}

const fail = (error: unknown) => () => {
  throw error;
};

async function joins(game: TestServer) {
  return game.recorded.points("colyseus.joins");
}

test.each([
  [
    "a static onAuth that returns false",
    { staticAuth: () => false },
    "refused_auth",
    "  error.type=auth_failed",
    "  error.type=auth_failed",
  ],
  [
    "a static onAuth that throws a ServerError",
    { staticAuth: fail(new ServerError(401, "bad ticket")) },
    "refused_auth",
    "  error.type=auth_failed",
    "  error.type=auth_failed",
  ],
  [
    "a static onAuth that throws an Error",
    { staticAuth: fail(new TypeError("no database")) },
    "error",
    "  ERROR  error.type=unhandled",
    "  ERROR  error.type=auth_error",
  ],
])("%s is told on room.auth and on the request", async (_name, hooks, outcome, request, auth) => {
  await using game = await startServer({ arena: refusing(hooks) });
  await game.request("joinOrCreate", "arena");
  expect(game.played()).toBe(`matchmake arena${request}\n  room.auth arena${auth}`);
  expect(await joins(game)).toEqual({ [`kind=new outcome=${outcome} room=arena`]: 1 });
});

test.each([
  ["a ServerError is the game's refusal", new ServerError(418, "season is over"), "  error.type=refused"],
  [
    "any other error is a fault",
    new Error("no map"),
    "  ERROR  error.type=unhandled",
    "  ERROR  error.type=hook_error",
  ],
])("a throwing onCreate: %s", async (_name, error, request, create = request) => {
  await using game = await startServer({ arena: refusing({ onCreate: fail(error) }) });
  await game.request("create", "arena");
  expect(game.played()).toBe(`matchmake arena${request}\n  room.create arena${create}`);
  expect(await joins(game)).toEqual({ "kind=new outcome=error room=arena": 1 });
  expect(await game.recorded.points("colyseus.rooms")).toEqual({});
});

test.each([
  [
    "an instance onAuth that returns false",
    { onAuth: () => false },
    "refused_auth",
    "room.auth",
    "  error.type=auth_failed",
    "  error.type=auth_failed",
  ],
  [
    "an instance onAuth that throws a ServerError",
    { onAuth: fail(new ServerError(401, "no")) },
    "refused_auth",
    "room.auth",
    "  error.type=auth_failed",
    "  error.type=auth_failed",
  ],
  [
    "an instance onAuth that throws an Error",
    { onAuth: fail(new Error("no")) },
    "error",
    "room.auth",
    "  ERROR  error.type=hook_error",
    "  ERROR  error.type=auth_error",
  ],
  [
    "an onJoin that throws",
    { onJoin: fail(new Error("no")) },
    "error",
    "room.on_join",
    "  ERROR  error.type=hook_error",
    "  ERROR  error.type=hook_error",
  ],
  [
    "an onJoin that rejects",
    { onJoin: async () => Promise.reject(new Error("no")) },
    "error",
    "room.on_join",
    "  ERROR  error.type=hook_error",
    "  ERROR  error.type=hook_error",
  ],
  [
    "an onJoin that throws a ServerError",
    { onJoin: fail(new ServerError(4100, "no")) },
    "error",
    "room.on_join",
    "  error.type=refused",
    "  error.type=refused",
  ],
])(
  "%s fails the join, and the session ends as join_failed without a phase",
  async (_name, hooks, outcome, span, join, hook) => {
    await using game = await startServer({ arena: refusing(hooks) });
    await expect(game.client().joinOrCreate("arena")).rejects.toThrow();
    await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
    expect(game.played()).toBe(
      [
        "matchmake arena",
        "  session.started",
        "    session.lifecycle",
        `  room.join arena${join}`,
        `    ${span} arena${hook}`,
      ].join("\n"),
    );
    expect(game.recorded.one("session.lifecycle").attributes).toMatchObject({
      "session.end_reason": "join_failed",
      "session.end_type": "unknown",
      "session.matches_played": 0,
    });
    expect(await joins(game)).toEqual({ [`kind=new outcome=${outcome} room=arena`]: 1 });
  },
);

test("a player who goes away while onJoin runs is told as client_left, not as a fault", async () => {
  let entered = (_client: Client) => {};
  let leave = () => {};
  const met = new Promise<Client>((resolve) => (entered = resolve));
  const left = new Promise<void>((resolve) => (leave = resolve));
  await using game = await startServer({
    arena: refusing({
      onJoin: (client) => {
        entered(client as Client);
        return left;
      },
    }),
  });
  const joining = game.client().joinOrCreate("arena");
  const { ref } = await met;
  ref.once("close", leave);
  (ref as unknown as { terminate(): void }).terminate();
  await expect(joining).rejects.toThrow();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  expect(game.recorded.one("room.join arena").attributes["error.type"]).toBe("client_left");
  expect(game.recorded.one("room.join arena").status.code).toBe(0);
});

test("a full room refuses with room_full, by its id and by its seats", async () => {
  class Duel extends Arena {
    override maxClients = 1;
  }
  await using game = await startServer({ arena: Duel });
  const { body } = await game.request("create", "arena");
  expect((await game.request("joinById", body.roomId)).body.error).toContain("locked");
  await roomOf(body.roomId).unlock();
  expect((await game.request("joinById", body.roomId)).body.error).toContain("full");
  const refused = game.recorded.named("matchmake arena").slice(1);
  expect(refused.map(({ attributes, status }) => [attributes["error.type"], status.code])).toEqual([
    ["room_full", 0],
    ["room_full", 0],
  ]);
  expect(await joins(game)).toEqual({ "kind=new outcome=refused_full room=arena": 2 });
});

test("a seat that the room itself refuses is refused as full", async () => {
  class Cinema extends Arena {
    override maxClients = 0;
  }
  await using game = await startServer({ arena: Cinema });
  expect((await game.request("create", "arena")).body.error).toContain("full");
  expect(game.recorded.one("matchmake arena").attributes["error.type"]).toBe("room_full");
  expect(await joins(game)).toEqual({ "kind=new outcome=refused_full room=arena": 1 });
});

test("a room that the game has locked refuses with invalid_room, and join finds no room", async () => {
  await using game = await startServer({ arena: Arena });
  const { body } = await game.request("create", "arena");
  await roomOf(body.roomId).lock();
  await game.request("joinById", body.roomId);
  await game.request("join", "arena");
  const refused = game.recorded.named("matchmake arena").slice(1);
  expect(refused.map(({ attributes, status }) => [attributes["error.type"], status.code])).toEqual([
    ["invalid_room", 0],
    ["no_room", 0],
  ]);
});
