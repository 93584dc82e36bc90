import { context, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { startSession, type StartSessionOptions } from "colyseus-otel/backend";
import { describe, expect, test, vi } from "vitest";
import { parseToken } from "../src/propagation/session-token.ts";
import { durationOf, recordTelemetry, spanTree, startOf } from "./_telemetry.ts";

const ANN = { playerId: "ann-7", authMethod: "steam", clientVersion: "1.4.2", platform: "windows" };

function service() {
  const recorded = recordTelemetry();
  const { tracerProvider, meterProvider } = recorded;
  const start = (options: Partial<StartSessionOptions> = {}) =>
    startSession({ ...ANN, tracerProvider, meterProvider, ...options });
  return { ...recorded, start, tree: () => spanTree(recorded.spans()) };
}

describe("startSession()", () => {
  test("tells session.started and the login under the request's span, with what the login knows", () => {
    const { start, tree, one, tracerProvider } = service();
    const request = tracerProvider.getTracer("http").startSpan("POST /login");
    const session = context.with(trace.setSpan(ROOT_CONTEXT, request), () => start());
    request.end();
    expect(tree()).toMatchInlineSnapshot(`
      "POST /login
        session.started
          session.phase.login"
    `);
    const started = one("session.started");
    expect(durationOf(started)).toBe(0);
    expect(started.attributes).toEqual({
      "session.id": session.id,
      "player.id": "ann-7",
      "session.auth_method": "steam",
      "client.version": "1.4.2",
      "client.platform": "windows",
      "session.start_time": startOf(started) / 1000,
    });
    expect(one("session.phase.login").attributes).toEqual({
      "session.id": session.id,
      "player.id": "ann-7",
      "client.version": "1.4.2",
      "client.platform": "windows",
    });
  });

  test("its carrier has the context of session.started and a token of the same session", () => {
    const { start, one } = service();
    const { id, carrier, traceparent } = start({ end: "service" });
    const started = one("session.started");
    const { traceId, spanId } = started.spanContext();
    expect(carrier).toEqual({ traceparent: `00-${traceId}-${spanId}-01`, "colyseus-otel": expect.any(String) });
    expect(traceparent).toBe(carrier.traceparent);
    const token = { ...ANN, id, start: startOf(started), leg: 0, matches: 0, end: "service" };
    expect(parseToken(carrier["colyseus-otel"])).toEqual(token);
    expect(Object.isFrozen(carrier)).toBe(true);
  });

  test("hangs from the context that it is given", () => {
    const { start, one } = service();
    const spanContext = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 };
    start({ parent: trace.setSpanContext(ROOT_CONTEXT, spanContext) });
    expect(one("session.started").parentSpanContext).toMatchObject(spanContext);
  });

  test("without an SDK the session has its id and its token, and no context; nothing waits for an SDK to come", () => {
    const said = vi.spyOn(console, "warn").mockImplementation(() => {});
    const recorded = recordTelemetry();
    const { id, carrier, traceparent, phase, end } = startSession(ANN);
    startSession(ANN);
    expect(said).toHaveBeenCalledOnce();
    expect(said.mock.lastCall?.[0]).toContain("no OpenTelemetry SDK is registered");
    said.mockRestore();
    expect(parseToken(carrier["colyseus-otel"])).toMatchObject({ id, playerId: "ann-7" });
    expect([Object.keys(carrier), traceparent]).toEqual([["colyseus-otel"], undefined]);
    phase("matchmaking").end();
    end();
    trace.setGlobalTracerProvider(recorded.tracerProvider);
    expect(startSession(ANN).traceparent).toMatch(/^00-/);
    expect(recorded.spans()).toHaveLength(2);
    trace.disable();
  });

  test("what a client sends breaks no login: other than short, printable strings are left out, and said", () => {
    const said = vi.spyOn(console, "warn").mockImplementation(() => {});
    const { start, one } = service();
    start({ clientVersion: { hostile: true } as never, platform: "x".repeat(65), authMethod: "a\nb" });
    expect(Object.keys(one("session.started").attributes)).toEqual(["session.id", "player.id", "session.start_time"]);
    expect(said).toHaveBeenCalledTimes(3);
    said.mockRestore();
  });

  test("a player id that does not fit the token stays with the service, and that is said", () => {
    const said = vi.spyOn(console, "warn").mockImplementation(() => {});
    const { start, one } = service();
    const playerId = "did:example:".padEnd(300, "x");
    const token = parseToken(start({ playerId }).carrier["colyseus-otel"]);
    expect(token).toMatchObject({ playerId: undefined, authMethod: "steam" });
    expect(one("session.started").attributes["player.id"]).toBe(playerId);
    expect(said.mock.lastCall?.[0]).toContain("does not travel to the game server");
    said.mockRestore();
  });

  test.each([
    [{ playerId: "" }, 'startSession.playerId must be a string that is not empty, got ""'],
    [{ playerId: 7 }, "startSession.playerId must be a string that is not empty, got 7"],
    [{ end: "never" }, 'startSession.end must be "server" or "service", got "never"'],
    [{ parent: {} }, "startSession.parent must be an object with getValue(), setValue(), got {}"],
    [{ playerID: "ann" }, 'startSession: unknown option "playerID" ("ann")'],
  ])("%j is a TypeError that names option and value", (wrong, message) => {
    expect(() => startSession({ ...ANN, ...wrong } as never)).toThrow(TypeError);
    expect(() => startSession({ ...ANN, ...wrong } as never)).toThrow(message);
  });
});

describe("phase()", () => {
  test("is told at its end, with the wait, the lobby and the service's own attributes", () => {
    const { start, tree, one, named } = service();
    const session = start();
    const waiting = session.phase("matchmaking", { "game.mode": "ctf", "session.id": "of another" });
    expect(named("session.phase.matchmaking")).toEqual([]);
    waiting.end({ waitSeconds: 4.2, lobbyId: "lobby-7" });
    waiting.end({ lobbyId: "twice" });
    expect(tree()).toMatchInlineSnapshot(`
      "session.started
        session.phase.login
        session.phase.matchmaking"
    `);
    expect(one("session.phase.matchmaking").attributes).toEqual({
      "session.id": session.id,
      "player.id": "ann-7",
      "client.version": "1.4.2",
      "client.platform": "windows",
      "game.mode": "ctf",
      "matchmaking.wait_seconds": 4.2,
      "lobby.id": "lobby-7",
    });
  });

  test("waited as long as it took, where nobody says otherwise", () => {
    const { start, one } = service();
    start().phase("matchmaking").end();
    const told = one("session.phase.matchmaking");
    expect(told.attributes["matchmaking.wait_seconds"]).toBeCloseTo(durationOf(told) / 1000, 6);
  });

  test.each([
    ["client_quit", "leave"],
    ["timeout", "disconnect"],
  ])("that is open when the session ends as %s is ended by %s; none begins after it", (reason, endedBy) => {
    const { start, one } = service();
    const session = start();
    const waiting = session.phase("matchmaking");
    session.end(reason);
    waiting.end({ lobbyId: "too late" });
    session.phase("matchmaking").end();
    expect(one("session.phase.matchmaking").attributes).toMatchObject({ "phase.ended_by": endedBy });
    expect(one("session.phase.matchmaking").attributes).not.toHaveProperty(["lobby.id"]);
  });

  test("tells loading and matches as well, for services that keep the whole session", async () => {
    const { start, named, one, points } = service();
    const session = start({ end: "service" });
    session.phase("loading", { "loading.type": "map" }).end({ attributes: { "loading.assets_count": 12 } });
    const first = session.phase("in_game", { "game.map": "dust2", "server.id": "arena-1" });
    first.event("first blood", { by: "ann" });
    first.end({ result: "won", score: 3 });
    session.phase("in_game").end();
    session.end();
    expect(one("session.phase.loading").attributes).toMatchObject({
      "loading.type": "map",
      "loading.assets_count": 12,
    });
    const [won, next] = named("session.phase.in_game");
    expect(won?.attributes).toMatchObject({
      "session.match_number": 1,
      "game.map": "dust2",
      "server.id": "arena-1",
      "game.result": "won",
      "game.score": 3,
    });
    expect(won?.events.map(({ name, attributes }) => [name, attributes])).toEqual([["first blood", { by: "ann" }]]);
    expect(next?.attributes["session.match_number"]).toBe(2);
    expect(one("session.lifecycle").attributes["session.matches_played"]).toBe(2);
    expect(await points("game.session.phase.duration")).toMatchObject({
      "phase=in_game": { count: 2 },
      "phase=loading": { count: 1 },
    });
  });

  test("knows its names", () => {
    expect(() =>
      service()
        .start()
        .phase("lunch" as never),
    ).toThrow('phase must be "matchmaking" or "loading" or "in_game", got "lunch"');
  });
});

describe("end()", () => {
  test("leaves the summary to the server by default: there are never two ends", async () => {
    const { start, named, points } = service();
    start().end("client_quit");
    expect(named("session.lifecycle")).toEqual([]);
    expect(await points("game.session.ends")).toEqual({});
  });

  test('tells the summary of an end: "service" session, once, whether a server was reached or not', async () => {
    const { start, one, points } = service();
    const session = start({ end: "service" });
    session.phase("matchmaking").end();
    session.end("kicked", { matchesPlayed: 3 });
    session.end("logout");
    const lifecycle = one("session.lifecycle");
    expect(startOf(lifecycle)).toBe(startOf(one("session.started")));
    expect(lifecycle.attributes).toEqual({
      ...one("session.started").attributes,
      "session.duration_seconds": expect.closeTo(durationOf(lifecycle) / 1000, 5),
      "session.matches_played": 3,
      "session.end_reason": "kicked",
      "session.end_type": "enforcement",
      "session.end_phase": "matchmaking",
    });
    expect(await points("game.session.ends")).toEqual({ "end_reason=kicked": 1 });
    expect(Object.keys(await points("game.session.duration"))).toEqual([
      "client.platform=windows client.version=1.4.2 end_type=enforcement",
    ]);
  });

  test("invents no matches, and is a logout by default", () => {
    const { start, one } = service();
    start({ end: "service" }).end();
    const { attributes } = one("session.lifecycle");
    expect(attributes).not.toHaveProperty(["session.matches_played"]);
    expect(attributes).toMatchObject({ "session.end_reason": "logout", "session.end_phase": "login" });
  });

  test("makes of 200 players' reasons no more than 33 series, and of their names none", async () => {
    const { start, points, metricNames } = service();
    for (let index = 0; index < 200; index += 1) {
      start({ end: "service", playerId: `evil-${index}` }).end(`reason-${index}`);
    }
    const ends = await points("game.session.ends");
    expect(Object.keys(ends)).toHaveLength(33);
    expect(ends["end_reason=other"]).toBe(168);
    const told = await Promise.all((await metricNames()).map(async (name) => points(name)));
    expect(JSON.stringify(told)).not.toContain("evil");
  });
});

test("./backend's sessions load nothing but the API: no Colyseus, no SDK", () => {
  const entry = resolve(import.meta.dirname, "../src/backend/session.ts");
  const program = `
    const { registerHooks } = require("node:module");
    const seen = new Set();
    registerHooks({ resolve: (name, at, next) => (/^[./]|^file:|^node:/.test(name) || at.parentURL?.includes("node_modules") || seen.add(name), next(name, at)) });
    import(${JSON.stringify(entry)}).then(() => console.log([...seen].join()));`;
  expect(execFileSync(process.execPath, ["-e", program], { encoding: "utf8" }).trim()).toBe("@opentelemetry/api");
});
