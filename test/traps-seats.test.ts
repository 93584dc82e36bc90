import { ClientState, matchMaker, Room, type Client } from "@colyseus/core";
import { expect, test } from "vitest";
import { on17 } from "./_colyseus.ts";
import { drop, returnAtOnce, roomOf, startServer, until } from "./_server.ts";

const WINDOW_S = 0.5;
const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test("our keys are gone in place before any hook sees the options, which stay the same object all the way", async () => {
  const seen: Record<string, unknown> = {};
  class Arena extends Room {
    static override async onAuth(_token: string, options: Record<string, unknown>): Promise<unknown> {
      seen["onAuth"] = { ...options };
      options["ticket"] = "checked";
      return true;
    }
    override onCreate(options: unknown) {
      seen["onCreate"] = options;
    }
    override onJoin(_client: Client, options: unknown) {
      seen["onJoin"] = options;
    }
  }
  await using game = await startServer({ arena: Arena });
  const strict = { name: "Ann", extra: { traceparent: TRACEPARENT } };
  const options = { ...strict, traceparent: TRACEPARENT, tracestate: "a=b", "colyseus-otel": "token" };
  const seat = await matchMaker.controller.invokeMethod("joinOrCreate", "arena", options, {
    token: "t",
    headers: new Headers(),
    ip: "",
  });
  await game.client().consumeSeatReservation(seat);
  expect(options).toEqual({ ...strict, ticket: "checked" });
  expect(seen).toEqual({
    onAuth: strict,
    onCreate: { ...strict, ticket: "checked" },
    onJoin: { ...strict, ticket: "checked" },
  });
});

test("selectProcessIdToCreateRoom sees no key of ours", async () => {
  const seen: unknown[] = [];
  const choose = async (_room: string, options: unknown) => {
    seen.push({ ...(options as object) });
    return matchMaker.processId;
  };
  const previous = matchMaker.selectProcessIdToCreateRoom;
  await using game = await startServer({ arena: Room });
  await matchMaker.setup(undefined, undefined, undefined, choose);
  await matchMaker.accept();
  await game.client().create("arena", { traceparent: TRACEPARENT, name: "Ann" });
  expect(seen).toEqual([{ name: "Ann" }]);
  await matchMaker.setup(undefined, undefined, undefined, previous);
  await matchMaker.accept();
});

test("static onAuth has the `this` that Colyseus gives it", async () => {
  const seen: unknown[] = [];
  const onAuth = async function (this: unknown) {
    seen.push(this);
    return true;
  };
  const Arena = Object.assign(class extends Room {}, { onAuth });
  await using game = await startServer({ arena: Arena });
  await game.request("create", "arena");
  expect(seen).toEqual([on17 ? Arena : undefined]);
});

test("a lazy thenable that a hook returns is started once", async () => {
  let started = 0;
  const query = {
    // oxlint-disable-next-line unicorn/no-thenable -- a query builder is one
    then: (resolve: (value: unknown) => void) => {
      started += 1;
      resolve("rows");
    },
  } as PromiseLike<unknown>;
  class Arena extends Room {
    override onJoin() {
      return query as Promise<unknown>;
    }
  }
  await using game = await startServer({ arena: Arena });
  await game.client().joinOrCreate("arena");
  await until("the join", () => game.recorded.named("room.join arena").length === 1);
  expect(started).toBe(1);
});

test.each(["onLeave", "onDrop"] as const)(
  "a player who is dropped and comes back through %s has one session, and a second join linked to the first",
  async (hook) => {
    let held = 0;
    class Arena extends Room {
      override onJoin() {}
    }
    Object.assign(Arena.prototype, {
      [hook](this: Arena, client: Client, code: number) {
        if (code === 4000) {
          return undefined;
        }
        held += 1;
        return this.allowReconnection(client, WINDOW_S);
      },
    });
    await using game = await startServer({ arena: Arena });
    const room = await game.client().joinOrCreate("arena", { traceparent: TRACEPARENT });
    returnAtOnce(room);
    await drop(room);
    await until("the return", () => game.recorded.named("room.join arena").length === 2);
    await until(
      "the client's return",
      () => roomOf(room.roomId).clients.getById(room.sessionId)?.state === ClientState.JOINED,
    );
    // A window that has passed since is none of this leave's business.
    const back = performance.now();
    await until("the window's end", () => performance.now() > back + WINDOW_S * 1000);
    await room.leave();
    await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
    const [first, second] = game.recorded.named("room.join arena");
    expect(second?.parentSpanContext?.spanId).toBe(game.recorded.one("session.started").spanContext().spanId);
    expect(second?.links.map((link) => link.context.spanId)).toEqual([first?.spanContext().spanId]);
    expect(second?.attributes["colyseus.join.kind"]).toBe("reconnect");
    expect(held).toBe(1);
    expect(game.recorded.one("session.lifecycle").attributes).toMatchObject({
      "session.end_reason": "client_quit",
      "session.matches_played": 1,
    });
    expect(await game.recorded.points("colyseus.joins")).toEqual({
      "kind=new outcome=accepted room=arena": 1,
      "kind=reconnect outcome=accepted room=arena": 1,
    });
    expect(await game.recorded.points("colyseus.clients")).toEqual({ "room=arena": 0 });
  },
);

test("a seat that waits when its room ends has expired, and one that is claimed has not", async () => {
  await using game = await startServer({ arena: class extends Room {} });
  const { body } = await game.request("create", "arena");
  await game.client().joinById(body.roomId);
  await roomOf(body.roomId).disconnect();
  expect(await game.recorded.points("colyseus.seat.reservations")).toEqual({
    "outcome=consumed room=arena": 1,
    "outcome=expired room=arena": 1,
  });
});

test("a seat time that is no number keeps no other seat from being counted", async () => {
  const rooms = [0.05, Number.NaN, 0.3].map(
    (seconds) =>
      class extends Room {
        override seatReservationTimeout = seconds;
        override autoDispose = false;
      },
  );
  await using game = await startServer({ short: rooms[0]!, none: rooms[1]!, long: rooms[2]! });
  for (const name of ["long", "none", "short"]) {
    await game.request("create", name);
  }
  const expired = { "outcome=expired room=short": 1, "outcome=expired room=none": 1, "outcome=expired room=long": 1 };
  const counts = () => game.recorded.points("colyseus.seat.reservations");
  await until("all to expire", async () => Object.keys(await counts()).length === 3, 2000);
  expect(await counts()).toEqual(expired);
});
