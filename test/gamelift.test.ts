import { Room, type Client } from "@colyseus/core";
import type { SpanProcessor } from "@opentelemetry/sdk-trace";
import { mapLoad } from "colyseus-otel";
import { afterEach, expect, test, vi } from "vitest";
import { startHeartbeat } from "../src/orchestrators/gamelift/heartbeat.ts";
import { TIMINGS } from "../src/orchestrators/gamelift/timings.ts";
import { gamePropertiesWithContext } from "../src/propagation/game-properties.ts";
import type { OrchestratorEvents } from "../src/orchestrators/orchestrator.ts";
import { startGameLift } from "../standins/gamelift-socket.ts";
import { quickGameLift, startFleet, useGameLift } from "./_gamelift.ts";
import { until } from "./_server.ts";
import { recordTelemetry, spanTree } from "./_telemetry.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const PLAYER = "c".repeat(32);

class Arena extends Room {}

const playerSessionOf = (_client: Client, options: unknown) => (options as { seat?: string }).seat;

afterEach(() => vi.restoreAllMocks());

test("from CreateGameSession to TerminateProcess, cut and refreshed in between: one trace, and every span ended", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const exit = vi.spyOn(process, "exit").mockImplementation((() => {}) as never);
  const open = new Set<string>();
  const counting: SpanProcessor = {
    onStart: (span) => void open.add(span.spanContext().spanId),
    onEnd: (span) => void open.delete(span.spanContext().spanId),
    shutdown: async () => {},
    forceFlush: async () => {},
  };
  const recorded = recordTelemetry(undefined, counting);
  const loading = Promise.withResolvers<void>();
  const onGameSession = () => mapLoad("dust2", () => loading.promise);
  await using fleet = await startFleet(Arena, { recorded, options: { onGameSession, playerSessionOf } });
  const { service, gamelift, game } = fleet;
  await game.telemetry.ready;
  expect(service.process()).toMatchObject({ id: "process-1", state: "ready", port: Number(new URL(game.url).port) });
  await service.waitFor("the first heartbeat", () => service.process().heartbeats.length === 1);

  const id = service.createGameSession({ GameProperties: { traceparent: PARENT, mode: "ctf" } });
  await until("the game session", () => gamelift.gameSession?.GameSessionId === id);
  service.cut();
  await service.waitFor("another connection", () => service.connections.length === 2 && service.open === 1);
  expect(service.gameSessions.get(id)?.status).toBe("ACTIVATING");
  loading.resolve();
  await service.waitFor("the game session to be active", () => service.gameSessions.get(id)?.status === "ACTIVE");
  expect(gamelift.gameSession).toMatchObject({ GameProperties: { mode: "ctf" }, FleetId: "fleet-1" });

  service.refresh(true);
  await service.waitFor(
    "one connection by the new token",
    () => service.connections.length === 3 && service.open === 1,
  );
  const seat = service.createPlayerSession(id, JSON.stringify({ traceparent: `00-${PLAYER}-${"d".repeat(16)}-01` }));
  const room = await game.client().joinOrCreate("arena", { seat });
  await service.waitFor("the player to be accepted", () => service.playerSessions.get(seat)?.Status === "ACTIVE");
  await until("its span", () => recorded.named("gamelift.accept_player_session").length === 1);
  await room.leave();
  await service.waitFor("the player to be removed", () => service.playerSessions.get(seat)?.Status === "COMPLETED");

  const time = Date.now() + 300_000;
  service.terminate(time);
  await until("the exit", () => exit.mock.calls.length === 1);
  expect(exit).toHaveBeenCalledWith(0);
  expect(gamelift.terminationTime).toBe(time);
  expect(service.process().state).toBe("terminated");
  expect(service.calls).toMatchObject({ ActivateServerProcess: 1, ActivateGameSession: 1, TerminateServerProcess: 1 });
  await service.waitFor("the last goodbye", () => service.open === 0);
  expect(service.connections).toHaveLength(3);

  expect([...open]).toEqual([]);
  expect(spanTree(recorded.spans())).toMatchInlineSnapshot(`
    "gameserver.boot
      gameserver.boot.load
      gamelift.connect
      gameserver.boot.prepare
      gameserver.boot.listen
      gamelift.process_ready
    matchmake arena
      session.started
        session.phase.in_game
        session.lifecycle
      room.join arena
        gamelift.accept_player_session  ~> <outside>
    <outside>
      gameserver.allocated  ~> gameserver.boot
        gameserver.map_load
        gamelift.activate_game_session"
  `);
  const provisioned = ["gameserver.allocated", "gameserver.map_load", "gamelift.activate_game_session"];
  expect(provisioned.map((name) => recorded.one(name).spanContext().traceId)).toEqual([TRACE, TRACE, TRACE]);
  expect(recorded.one("gamelift.accept_player_session").links[0]).toMatchObject({
    context: { traceId: PLAYER },
    attributes: { "colyseus.trace_context.source": "player_data" },
  });
  expect(await recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=continued source=game_property": 1,
    "outcome=linked source=player_data": 1,
  });
});

const [ANN, BEN] = ["a", "b"].map((digit) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`);
const MATCH = JSON.stringify({
  matchId: "m-1",
  teams: [
    {
      name: "red",
      players: [{ playerId: "ann", attributes: { traceparent: { attributeType: "STRING", valueAttribute: ANN } } }],
    },
    {
      name: "blue",
      players: [{ playerId: "ben", attributes: { traceparent: { attributeType: "STRING", valueAttribute: BEN } } }, {}],
    },
  ],
});

test.each([
  ["a game property", { GameProperties: { traceparent: PARENT }, MatchmakerData: MATCH }, TRACE, []],
  ["the game's own JSON", { GameSessionData: JSON.stringify({ traceparent: PARENT, map: "dust2" }) }, TRACE, []],
  ["the players' attributes", { MatchmakerData: MATCH, GameSessionData: "dust2" }, undefined, ["a", "b"]],
  ["nothing", { MatchmakerData: "{", GameSessionData: "[1]" }, undefined, []],
])("who asked for the game session is found in %s", async (_where, session, trace, players) => {
  await using fleet = await startFleet(Arena);
  await fleet.game.telemetry.ready;
  const id = fleet.service.createGameSession(session);
  await until("gameserver.allocated", () => fleet.game.recorded.named("gameserver.allocated").length === 1);
  const allocated = fleet.game.recorded.one("gameserver.allocated");
  expect(allocated.parentSpanContext?.traceId).toBe(trace);
  const [boot, ...links] = allocated.links.map(({ context }) => context.traceId);
  expect(boot).toBe(fleet.game.recorded.one("gameserver.boot").spanContext().traceId);
  expect(links).toEqual(players.map((digit) => digit.repeat(32)));
  expect(allocated.attributes).toMatchObject({ "gamelift.session_id": id, "gameserver.start": "warm" });
});

test("what allocate() writes into the game properties is understood: who waited before the server was ready has a cold start", async () => {
  await using fleet = await startFleet(Arena);
  await fleet.game.telemetry.ready;
  const asked = { traceId: TRACE, spanId: "b7ad6b7169203331", traceFlags: 1 };
  const GameProperties = gamePropertiesWithContext({ mode: "ctf" }, Date.now() - 60_000, asked);
  fleet.service.createGameSession({ GameProperties });
  await until("gameserver.allocated", () => fleet.game.recorded.named("gameserver.allocated").length === 1);
  const allocated = fleet.game.recorded.one("gameserver.allocated");
  expect(allocated.attributes["gameserver.start"]).toBe("cold");
  expect(allocated.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: asked.spanId });
});

test("a game session that cannot be loaded never turns active, and the server says why", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  await using fleet = await startFleet(Arena, {
    options: { onGameSession: () => Promise.reject(new Error("no such map")) },
  });
  await fleet.game.telemetry.ready;
  const id = fleet.service.createGameSession();
  await until("gameserver.allocated", () => fleet.game.recorded.named("gameserver.allocated").length === 1);
  expect(fleet.game.recorded.one("gameserver.allocated").status.message).toBe("Error: no such map");
  expect(warned.mock.calls.flat().join()).toContain("Error: no such map");
  expect(fleet.service.gameSessions.get(id)?.status).toBe("ACTIVATING");
  expect(fleet.service.calls["ActivateGameSession"]).toBeUndefined();
});

test("a game session that was loaded too late is told all the same, and the operator hears of the fleet's time-out", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const loading = Promise.withResolvers<void>();
  const options = { activationTimeout: 1, onGameSession: () => loading.promise };
  await using fleet = await startFleet(Arena, { options });
  await fleet.game.telemetry.ready;
  const id = fleet.service.createGameSession();
  await until("the game session", () => fleet.gamelift.gameSession !== undefined);
  const late = performance.now() + 5;
  await until("its time-out", () => performance.now() > late);
  loading.resolve();
  await fleet.service.waitFor("the activation", () => fleet.service.gameSessions.get(id)?.status === "ACTIVE");
  expect(warned.mock.calls.flat().join()).toMatch(
    /the game session was loaded after 0\.\d s: GameLift ends those .*ActivationTimeout/,
  );
});

test.each([
  ["silence, an error and a cut are asked again", ["silence", { status: 500 }, "cut"], 4, "ACTIVE"],
  ["a refusal is not", [{ status: 400 }], 1, "ACTIVATING"],
] as const)("ActivateGameSession: %s", async (_what, faults, calls, status) => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  await using fleet = await startFleet(Arena, { timings: { call: 200 } });
  await fleet.game.telemetry.ready;
  fleet.service.fault("ActivateGameSession", ...faults);
  const id = fleet.service.createGameSession();
  await until("the span", () => fleet.game.recorded.named("gamelift.activate_game_session").length === 1);
  expect(fleet.service.calls["ActivateGameSession"]).toBe(calls);
  expect(fleet.service.gameSessions.get(id)?.status).toBe(status);
  const failed = fleet.game.recorded.one("gamelift.activate_game_session").attributes["error.type"];
  expect(failed).toBe(status === "ACTIVE" ? undefined : "orchestrator_failed");
});

test("a game session that is sent twice is one; one that is sent before the process is ready, or after its end, is none", async () => {
  const exit = vi.spyOn(process, "exit").mockImplementation((() => {}) as never);
  const seen: string[] = [];
  const options = { onGameSession: ({ Name }: { Name: string }) => void seen.push(Name) };
  await using fleet = await startFleet(Arena, { options });
  const { service, game } = fleet;
  await game.telemetry.ready;
  const session = (GameSessionId: string, GameSessionName: string) =>
    service.send(JSON.stringify({ Action: "CreateGameSession", GameSessionId, GameSessionName }));
  session("a", "first");
  session("a", "again");
  service.send(JSON.stringify({ Action: "TerminateProcess", TerminationTime: null }));
  session("b", "too late");
  await until("the exit", () => exit.mock.calls.length === 1);
  expect([seen, fleet.gamelift.terminationTime]).toEqual([["first"], undefined]);
  expect(game.recorded.named("gameserver.allocated")).toHaveLength(1);
});

test("a process that was told to end before it was ready is not made ready", async () => {
  await using service = await startGameLift();
  useGameLift(service);
  const gamelift = quickGameLift();
  const drain = vi.fn();
  const step = { result: {} };
  const nothing = () => {};
  const events = { begin: () => step, end: nothing, identified: nothing, trouble: nothing, fault: nothing, drain };
  gamelift.connect(events as unknown as OrchestratorEvents);
  await service.waitFor("the connection", () => service.open === 1);
  service.terminate();
  await until("the drain", () => drain.mock.calls.length === 1);
  await expect(gamelift.ready(7777)).rejects.toThrow(
    "ActivateServerProcess: this server has ended before it was ready",
  );
  expect(service.calls["ActivateServerProcess"]).toBeUndefined();
  gamelift.close();
});

test("an update comes with its reason, and changes what the game session is; one of another session changes nothing", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const updates: unknown[] = [];
  const onUpdate = (update: unknown) => {
    updates.push(update);
    throw new Error("no room for them");
  };
  await using fleet = await startFleet(Arena, { options: { onUpdate } });
  await fleet.game.telemetry.ready;
  const id = fleet.service.createGameSession({ GameSessionName: "final" });
  fleet.service.updateGameSession("another", {}, "BACKFILL_FAILED");
  fleet.service.updateGameSession(id, { Name: "final", MatchmakerData: MATCH }, "MATCHMAKING_DATA_UPDATED");
  await until("the update", () => updates.length > 0);
  expect(updates).toMatchObject([
    {
      reason: "MATCHMAKING_DATA_UPDATED",
      backfillTicketId: "t-1",
      gameSession: { GameSessionId: id, MatchmakerData: MATCH },
    },
  ]);
  expect(fleet.gamelift.gameSession?.MatchmakerData).toBe(MATCH);
  await until("the warning", () =>
    warned.mock.calls.flat().join().includes("onUpdate failed: Error: no room for them"),
  );
});

test("heartbeats: the first at once, then one each minute and a jitter; what the game says, and no when it fails or is late", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const answers = [true, false, () => Promise.reject(new Error("lost")), () => new Promise<boolean>(() => {}), true];
  const health = () => {
    const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
    return typeof answer === "function" ? answer() : answer;
  };
  await using fleet = await startFleet(Arena, {
    options: { health },
    timings: { heartbeat: 20, heartbeatJitter: 10, health: 5 },
  });
  await fleet.game.telemetry.ready;
  const { heartbeats } = fleet.service.process();
  await fleet.service.waitFor("five heartbeats", () => heartbeats.length >= 5);
  expect(heartbeats.slice(0, 5).filter((healthy) => !healthy)).toHaveLength(3);
  await fleet.game.server.gracefullyShutdown(false);
  expect(fleet.service.process().state).toBe("terminated");
});

test("heartbeats are a minute apart, ten seconds more or less, and end", () => {
  vi.useFakeTimers();
  const beats: number[] = [];
  const stop = startHeartbeat(async () => beats.push(Date.now()), undefined, TIMINGS);
  vi.advanceTimersByTime(3_600_000);
  stop();
  expect(vi.getTimerCount()).toBe(0);
  const told = beats.length;
  vi.advanceTimersByTime(3_600_000);
  vi.useRealTimers();
  expect(beats).toHaveLength(told);
  const gaps = beats.slice(1).map((at, index) => at - beats[index]!);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50_000);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(70_000);
  expect(new Set(gaps).size).toBeGreaterThan(10);
});

test("while there is no connection /readyz says so, and the game goes on", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  await using fleet = await startFleet(Arena, {
    instrument: { endpoints: { port: 0 } },
    timings: { terminate: 50 },
  });
  const { service, game } = fleet;
  await game.telemetry.ready;
  await until("the admin port", () => game.telemetry.endpoints);
  const readyz = async () => {
    const { host, port } = game.telemetry.endpoints!;
    return (await (await fetch(`http://${host}:${port}/readyz`)).json()) as { state: string; reason?: string };
  };
  service.refuse(503, 1000);
  service.cut();
  await until("the reason", async () => (await readyz()).reason?.startsWith("no connection to GameLift: "));
  const room = await game.client().joinOrCreate("arena");
  await room.leave();
  expect(await game.recorded.points("gameserver.orchestrator.faults")).toMatchObject({ "kind=cut": 1 });
});
