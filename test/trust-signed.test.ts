import { Room, type Client } from "@colyseus/core";
import { createTraceState } from "@opentelemetry/api";
import { sessionOf } from "colyseus-otel";
import { startSession, type SessionCarrier, type StartSessionOptions } from "colyseus-otel/backend";
import { expect, test } from "vitest";
import { parseToken, tokenOf, type SessionToken } from "../src/propagation/session-token.ts";
import { signToken } from "../src/propagation/signature.ts";
import { CURRENT, FOREIGN, PREVIOUS } from "./_secrets.ts";
import { startServer, until, type TestServer } from "./_server.ts";
import { recordTelemetry } from "./_telemetry.ts";

const ARENA = { secrets: [CURRENT, PREVIOUS], audience: "arena" };

class Arena extends Room {
  static seen: object[] = [];
  override onJoin(_client: unknown, options: object) {
    Arena.seen.push(options);
  }
}

/** A login in a service of its own, whose spans are not looked at. */
function login(options: Partial<StartSessionOptions> = {}) {
  const { tracerProvider, meterProvider } = recordTelemetry();
  return startSession({ playerId: "ann-7", tracerProvider, meterProvider, sign: ARENA, ...options });
}

/** Joins and leaves; gives what the server made of it. */
async function play(game: TestServer, options: object, headers?: Record<string, string>) {
  game.recorded.reset();
  const room = await game.client(headers).joinOrCreate("arena", options);
  await room.leave();
  const { one, named } = game.recorded;
  await until("the end", () => named("session.lifecycle").length === 1);
  const matchmake = one("matchmake arena");
  const { "session.id": session, "player.id": player } = one("session.lifecycle").attributes;
  return {
    parent: matchmake.parentSpanContext?.spanId,
    links: matchmake.links.map(({ context }) => context.spanId),
    session: session === room.sessionId ? "of its own" : session,
    player,
    matchmake,
  };
}

const spanIdOf = ({ traceparent }: { readonly traceparent?: string | undefined }) => traceparent!.split("-")[2];

test("a login that is signed: the server goes on with its trace and its session, and the game sees nothing of it", async () => {
  Arena.seen = [];
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  const { id, carrier } = login();
  const { matchmake, ...played } = await play(game, { name: "Ann", ...carrier });
  expect(played).toEqual({ parent: spanIdOf(carrier), links: [], session: id, player: "ann-7" });
  expect(matchmake.spanContext().traceId).toBe(carrier.traceparent!.split("-")[1]);
  expect(Arena.seen).toEqual([{ name: "Ann" }]);
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=continued source=join_options": 1,
    "outcome=continued source=session_token": 1,
    "outcome=absent source=header": 1,
  });
});

test("a service that still signs with the secret before, or already with the one after, is believed", async () => {
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  for (const secrets of [[PREVIOUS], [PREVIOUS, FOREIGN], [CURRENT, FOREIGN]]) {
    const { id, carrier } = login({ sign: { ...ARENA, secrets } });
    expect(await play(game, carrier)).toMatchObject({ parent: spanIdOf(carrier), session: id });
  }
});

test("a carrier that the server gives for the next room is signed too, whether the player came with a login or without", async () => {
  const carriers: object[] = [];
  class Lobby extends Room {
    override onJoin(client: Client) {
      carriers.push(sessionOf(client).carrier());
    }
  }
  await using game = await startServer({ lobby: Lobby, arena: Arena }, { trust: ARENA });
  for (const { carrier } of [login(), { carrier: {} }]) {
    const lobby = await game.client().joinOrCreate("lobby", carrier);
    const arena = await game.client().joinOrCreate("arena", carriers.at(-1)!);
    await lobby.leave();
    await arena.leave();
  }
  await until("the ends", () => game.recorded.named("session.lifecycle").length === 2);
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=continued source=join_options": 3,
    "outcome=continued source=session_token": 3,
  });
});

/** What a player, or somebody between, may make of an honest carrier. */
const HOSTILE: Readonly<Record<string, (honest: SessionCarrier) => object>> = {
  "of no service": (honest) => ({ ...honest, "colyseus-otel": tokenIn(honest) }),
  "signed with a secret of another game": ({ traceparent = "", ...honest }) => ({
    traceparent,
    "colyseus-otel": signToken(tokenIn(honest), traceparent, Date.now() + 60_000, { ...ARENA, secrets: [FOREIGN] }),
  }),
  "for another audience": () => login({ sign: { ...ARENA, audience: "lobby" } }).carrier,
  "for no audience": () => login({ sign: { secrets: [CURRENT] } }).carrier,
  "replayed past its expiry": ({ traceparent = "", ...honest }) => ({
    traceparent,
    "colyseus-otel": signToken(tokenIn(honest), traceparent, Date.now() - 1000, ARENA),
  }),
  "whose expiry was moved": (honest) => ({
    ...honest,
    "colyseus-otel": honest["colyseus-otel"].replace(/:\d{10}:/, ":9999999999:"),
  }),
  "beside a context of somebody else": (honest) => ({ ...honest, traceparent: login().carrier.traceparent }),
  "with another player in it": (honest) => ({
    ...honest,
    "colyseus-otel": honest["colyseus-otel"].replace("ann-7", "bob-7"),
  }),
  "whose context was made a sampled one": (honest) => {
    const traceparent = honest.traceparent!.replace(/01$/, "00");
    return { ...honest, "colyseus-otel": signToken(tokenIn(honest), traceparent, Date.now() + 60_000, ARENA) };
  },
};

test.each(Object.entries(HOSTILE))("a carrier %s is a link, never a parent, never a session", async (_what, attack) => {
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  const attacking = attack(login().carrier);
  const { parent, links, session, player } = await play(game, attacking);
  expect({ parent, links, session, player }).toEqual({
    parent: undefined,
    links: [spanIdOf(attacking)],
    session: "of its own",
    player: undefined,
  });
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=unsigned source=join_options": 1,
    "outcome=unsigned source=session_token": 1,
  });
});

test("a signature that was cut off anywhere, or has more behind it, is a link, and no token at all", async () => {
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  const { carrier } = login();
  const token = carrier["colyseus-otel"];
  const cut = [token.slice(0, -1), token.slice(0, -22), token.slice(0, -43), `${token}x`, `${token}:x`, token.slice(1)];
  for (const one of cut) {
    expect(await play(game, { ...carrier, "colyseus-otel": one })).toMatchObject({
      parent: undefined,
      links: [spanIdOf(carrier)],
      session: "of its own",
    });
  }
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=malformed source=session_token": cut.length,
    "outcome=unsigned source=join_options": cut.length,
  });
});

test("contexts that nobody can sign are links: alone in the options, in a header, in Passage's extra", async () => {
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  const { traceparent } = login().carrier;
  for (const [options, headers] of [[{ traceparent }], [{}, { traceparent }], [{ extra: { traceparent } }]] as const) {
    const played = await play(game, options, headers as Record<string, string> | undefined);
    expect(played).toMatchObject({ parent: undefined, links: [spanIdOf({ traceparent })] });
  }
  const { id, carrier } = login();
  const played = await play(game, carrier, { traceparent: traceparent! });
  expect(played).toMatchObject({ parent: spanIdOf(carrier), links: [spanIdOf({ traceparent })], session: id });
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=unsigned source=join_options": 2,
    "outcome=unsigned source=header": 2,
    "outcome=continued source=join_options": 1,
  });
});

test("a login service without an SDK signs that there is no context: the session is believed, no context beside it", async () => {
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  const { id, carrier } = startSession({ playerId: "ann-7", sign: ARENA });
  const { traceparent } = login().carrier;
  expect(carrier).not.toHaveProperty("traceparent");
  expect(await play(game, carrier)).toMatchObject({ parent: undefined, links: [], session: id });
  const beside = await play(game, { ...carrier, extra: { traceparent } });
  expect(beside).toMatchObject({ parent: undefined, links: [spanIdOf({ traceparent })], session: id });
  const added = await play(game, { ...carrier, traceparent });
  expect(added).toMatchObject({ parent: undefined, links: [spanIdOf({ traceparent })], session: "of its own" });
});

test("the tracestate beside a signed context is not signed, and goes no further", async () => {
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  const { carrier } = login();
  const { parent, matchmake } = await play(game, { ...carrier, tracestate: createTraceState("ot=th:0").serialize() });
  expect(parent).toBe(spanIdOf(carrier));
  expect(matchmake.spanContext().traceState).toBeUndefined();
});

test("a signed session that began a day ago is over, however long its signature is good", async () => {
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  const { traceparent = "", ...honest } = login().carrier;
  const yesterday = tokenOf({ ...(parseToken(tokenIn(honest)) as SessionToken), start: Date.now() - 86_401_000 });
  const old = signToken(yesterday, traceparent, Date.now() + 60_000, ARENA);
  const { parent, session } = await play(game, { traceparent, "colyseus-otel": old });
  expect([parent, session]).toEqual([spanIdOf({ traceparent }), "of its own"]);
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=ignored source=session_token": 1,
  });
});

test("servers that do not ask for signatures read signed carriers too: services may sign first", async () => {
  await using game = await startServer({ arena: Arena });
  const { id, carrier } = login();
  expect(await play(game, carrier)).toMatchObject({ parent: spanIdOf(carrier), session: id });
});

/** The honest token, without its signature. */
function tokenIn({ "colyseus-otel": value }: Pick<SessionCarrier, "colyseus-otel">): string {
  return value.split(":", 10).join(":");
}
