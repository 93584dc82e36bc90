import { Room, type Client } from "@colyseus/core";
import { createTraceState } from "@opentelemetry/api";
import { sessionOf } from "colyseus-otel";
import { startSession } from "colyseus-otel/backend";
import { expect, test } from "vitest";
import { CURRENT, FOREIGN, PREVIOUS } from "./_secrets.ts";
import { startServer, until } from "./_server.ts";
import { Arena, ARENA, login, play, spanIdOf } from "./_signed.ts";

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

test("servers that do not ask for signatures read signed carriers too: services may sign first", async () => {
  await using game = await startServer({ arena: Arena });
  const { id, carrier } = login();
  expect(await play(game, carrier)).toMatchObject({ parent: spanIdOf(carrier), session: id });
});
