import { matchMaker, Room } from "@colyseus/core";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startSession, type StartSessionOptions } from "colyseus-otel/backend";
import { expect, test, vi } from "vitest";
import { parseToken, tokenOf, type SessionToken } from "../src/propagation/session-token.ts";
import type { Registry } from "../src/sessions/registry.ts";
import { startServer, until, type TestServer } from "./_server.ts";
import { durationOf, recordTelemetry, startOf } from "./_telemetry.ts";

const inside = vi.hoisted(() => ({ registry: undefined as Registry | undefined }));
vi.mock(import("../src/sessions/registry.ts"), async (original) => {
  const { createRegistry } = await original();
  return { createRegistry: (now) => (inside.registry = createRegistry(now)) };
});

const ANN = { playerId: "ann-7", authMethod: "steam", clientVersion: "1.4.2", platform: "windows" };
const KNOWN = { "player.id": "ann-7", "client.version": "1.4.2", "client.platform": "windows" };

class Arena extends Room {
  static seen: object[] = [];
  static override async onAuth(_token: string, options: object) {
    Arena.seen.push(options);
    return true;
  }
  override onCreate() {}
  override onJoin(_client: unknown, { crash }: { crash?: boolean } = {}) {
    if (crash) {
      throw new Error("no spawn point");
    }
  }
  override onLeave() {}
}

/** A login in a service of its own, under the game's recording SDK. */
function login({ recorded }: TestServer, options: Partial<StartSessionOptions> = {}) {
  const { tracerProvider, meterProvider } = recorded;
  return startSession({ ...ANN, tracerProvider, meterProvider, ...options });
}

function edited(token: string, changes: Partial<SessionToken>): { "colyseus-otel": string } {
  return { "colyseus-otel": tokenOf({ ...(parseToken(token) as SessionToken), ...changes }) };
}

async function ended(game: TestServer, count = 1) {
  await until("the end", () => game.recorded.named("session.lifecycle").length === count);
  expect(inside.registry?.open.size).toBe(0);
}

test("a login over HTTP, and the player that comes from it: one trace, one session, one session.started", async () => {
  Arena.seen = [];
  await using game = await startServer({ arena: Arena });
  const service = createServer((_request, response) => {
    response.end(JSON.stringify({ session: login(game).carrier }));
  });
  service.listen(0);
  const { port } = service.address() as AddressInfo;
  const { session } = (await (await fetch(`http://localhost:${port}`)).json()) as { session: object };
  service.close();
  const room = await game.client().joinOrCreate("arena", { name: "Ann", ...session });
  await room.leave();
  await ended(game);
  await until("the disposal", async () => (await game.recorded.points("colyseus.rooms"))["room=arena"] === 0);
  expect(game.played()).toMatchInlineSnapshot(`
    "session.started
      session.phase.login
      session.lifecycle
      matchmake arena
        room.auth arena
        room.create arena
        room.join arena
          room.on_join arena
      session.phase.in_game
      room.on_leave arena  ~> room.join arena"
  `);
  expect(
    new Set(
      game.recorded
        .spans()
        .filter(({ name }) => !/gameserver/.test(name))
        .map((span) => span.spanContext().traceId),
    ).size,
  ).toBe(1);
  expect(Arena.seen).toEqual([{ name: "Ann" }]);
  const started = game.recorded.one("session.started");
  const lifecycle = game.recorded.one("session.lifecycle");
  expect(startOf(lifecycle)).toBe(startOf(started));
  expect(lifecycle.attributes).toMatchObject({ ...started.attributes, "session.matches_played": 1 });
  expect(game.recorded.one("session.phase.in_game").attributes).toEqual({
    ...KNOWN,
    "session.id": started.attributes["session.id"],
    "session.match_number": 1,
    "server.id": matchMaker.processId,
    "phase.ended_by": "leave",
  });
  for (const name of ["room.join arena", "room.on_leave arena"]) {
    expect(game.recorded.one(name).attributes["session.id"]).toBe(started.attributes["session.id"]);
  }
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=continued source=session_token": 1,
  });
});

test("the session is dated back to its login, its stay is not; matches go on from where they were", async () => {
  await using game = await startServer({ arena: Arena });
  const { id, carrier } = login(game);
  const start = Math.floor(Date.now() - 3_600_000);
  const room = await game.client().joinOrCreate("arena", {
    ...carrier,
    ...edited(carrier["colyseus-otel"], { start, matches: 2 }),
  });
  await room.leave();
  await ended(game);
  const lifecycle = game.recorded.one("session.lifecycle");
  expect(startOf(lifecycle)).toBe(start);
  expect(lifecycle.attributes).toMatchObject({ "session.id": id, "session.matches_played": 3 });
  expect(lifecycle.attributes["session.duration_seconds"]).toBeGreaterThan(3600);
  expect(durationOf(game.recorded.one("session.phase.in_game"))).toBeLessThan(60_000);
  const { sum } = (await game.recorded.points("colyseus.client.duration"))["room=arena"] as { sum: number };
  expect(sum).toBeLessThan(60);
});

test("a login whose clock is ahead of the server's does not make a session that begins after its join", async () => {
  await using game = await startServer({ arena: Arena });
  const { carrier } = login(game);
  const ahead = edited(carrier["colyseus-otel"], { start: Date.now() + 4000 });
  const room = await game.client().joinOrCreate("arena", { ...carrier, ...ahead });
  await room.leave();
  await ended(game);
  expect(startOf(game.recorded.one("session.lifecycle"))).toBeCloseTo(startOf(game.recorded.one("room.join arena")), 3);
});

test('end: "service": the server tells the phases and no end, and the service tells it, once', async () => {
  await using game = await startServer({ arena: Arena });
  const session = login(game, { end: "service" });
  const room = await game.client().joinOrCreate("arena", session.carrier);
  await room.leave();
  await until("the phase", () => game.recorded.named("session.phase.in_game").length === 1);
  expect(inside.registry?.open.size).toBe(0);
  expect(game.recorded.named("session.lifecycle")).toEqual([]);
  expect(await game.recorded.points("game.session.ends")).toEqual({});
  session.end("client_quit");
  expect(game.recorded.one("session.lifecycle").attributes["session.id"]).toBe(session.id);
  expect(await game.recorded.points("game.session.ends")).toEqual({ "end_reason=client_quit": 1 });
});

test("a login service without an SDK: the session keeps its id and its player, and the server tells session.started", async () => {
  await using game = await startServer({ arena: Arena });
  const { id, carrier } = startSession(ANN);
  expect(carrier).not.toHaveProperty("traceparent");
  const room = await game.client().joinOrCreate("arena", carrier);
  await room.leave();
  await ended(game);
  expect(game.played()).toMatchInlineSnapshot(`
    "matchmake arena
      session.started
        session.lifecycle
        session.phase.in_game
        room.on_leave arena  ~> room.join arena
      room.auth arena
      room.create arena
      room.join arena
        room.on_join arena"
  `);
  expect(game.recorded.one("session.started").attributes).toMatchObject({ ...KNOWN, "session.id": id });
  expect(game.recorded.one("session.lifecycle").attributes).toMatchObject({ ...KNOWN, "session.id": id });
});

test.each(["link", "ignore"] as const)("trust: %s: the token is not believed either", async (trust) => {
  await using game = await startServer({ arena: Arena }, { trust });
  const { id, carrier } = login(game, { end: "service" });
  const room = await game.client().joinOrCreate("arena", carrier);
  await room.leave();
  await ended(game);
  const { attributes } = game.recorded.one("session.lifecycle");
  expect(attributes["session.id"]).toBe(room.sessionId);
  expect(attributes).not.toHaveProperty(["player.id"]);
  expect(game.recorded.named("session.started").map((span) => span.attributes["session.id"])).toEqual([
    id,
    room.sessionId,
  ]);
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=ignored source=session_token": 1,
  });
});

test("forged and stale tokens are sessions of their own, counted, and nothing of them is told", async () => {
  await using game = await startServer({ arena: Arena });
  const token = login({ recorded: recordTelemetry() } as TestServer, { playerId: "evil" }).carrier["colyseus-otel"];
  const day = 86_400_000;
  const garbage = [`${token}x:y`, token.slice(0, -9), token.replace("1:", "9:"), "evil".repeat(1e5), 7, [token], {}];
  const stale = [Date.now() - day - 1000, Date.now() + 60_000].map((start) => edited(token, { start }));
  const ids = [];
  for (const options of [...garbage.map((one) => ({ "colyseus-otel": one })), ...stale]) {
    const room = await game.client().joinOrCreate("arena", options);
    ids.push(room.sessionId);
    await room.leave();
  }
  await ended(game, ids.length);
  const told = game.recorded.named("session.lifecycle").map(({ attributes }) => attributes["session.id"]);
  expect(new Set<unknown>(told)).toEqual(new Set(ids));
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=malformed source=session_token": garbage.length,
    "outcome=ignored source=session_token": stale.length,
  });
  expect(JSON.stringify(game.recorded.spans().map(({ attributes }) => attributes))).not.toContain("evil");
});

test("no metric has a label of a believed token's texts", async () => {
  await using game = await startServer({ arena: Arena });
  const hostile = { playerId: "evil-1", authMethod: "evil-2", clientVersion: "evil-3", platform: "evil-4" };
  const room = await game.client().joinOrCreate("arena", login(game, hostile).carrier);
  await room.leave();
  await ended(game);
  const names = await game.recorded.metricNames();
  const told = await Promise.all(names.map(async (name) => game.recorded.points(name)));
  expect(JSON.stringify(told)).not.toContain("evil");
});

test("a join that fails ends the session as join_failed", async () => {
  await using game = await startServer({ arena: Arena });
  const { id, carrier } = login(game);
  await expect(game.client().joinOrCreate("arena", { ...carrier, crash: true })).rejects.toThrow("no spawn point");
  await ended(game);
  expect(game.recorded.one("session.lifecycle").attributes).toMatchObject({
    "session.id": id,
    "session.end_reason": "join_failed",
    "session.matches_played": 0,
  });
});
