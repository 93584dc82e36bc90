import { CreatePlayerSessionsCommand, GameLiftClient } from "@aws-sdk/client-gamelift";
import { Room, type Client } from "@colyseus/core";
import { mapLoad } from "colyseus-otel";
import { allocate, gameLiftPlayerData, gamelift, startSession, type TraceCarrier } from "colyseus-otel/backend";
import { withTraceContext } from "colyseus-otel/client";
import { afterEach, expect, test, vi } from "vitest";
import { startGameLiftService } from "../standins/gamelift.ts";
import { quickGameLift, useGameLift } from "./_gamelift.ts";
import { QUICK } from "./_gamelift-api.ts";
import { watchSpans } from "./_provisioning.ts";
import { startServer, until, type TestServer } from "./_server.ts";
import { recordTelemetry, spanTree, type RecordingTelemetry } from "./_telemetry.ts";

class Arena extends Room {}

afterEach(() => vi.restoreAllMocks());

test("from CreateGameSession to TerminateServerProcess, cut and refreshed in between: one trace of matchmaker, player and server, and every span ended", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const exit = vi.spyOn(process, "exit").mockImplementation((() => {}) as never);
  await using fleet = await openFleet();
  const { api, socket, recorded } = fleet;
  const loading = Promise.withResolvers<void>();
  await using game = await fleet.boot(() => loading.promise);
  const { port } = new URL(game.url);
  const session = fleet.login("ann");

  const asked = fleet.find(session.carrier);
  await api.waitFor(() => api.count("DescribeGameSessions") > 0);
  socket.cut();
  await socket.waitFor("another connection", () => socket.connections.length === 2 && socket.open === 1);
  expect(api.sessions[0]!.status).toBe("ACTIVATING");
  loading.resolve();
  const found = await asked;
  expect(found).toMatchObject({ address: "127.0.0.1", port: Number(port), start: "warm", attempts: 1 });

  socket.refresh(true);
  await socket.waitFor("a connection by the new token", () => socket.connections.length === 3 && socket.open === 1);
  expect([...socket.tokens]).toEqual([socket.connections[2]!["Authorization"]]);
  const seat = await fleet.reserve(found.name, "ann", session.carrier);
  const room = await game.client().joinOrCreate("arena", withTraceContext({ seat }, session.carrier));
  const status = () => socket.playerSessions.get(seat)?.Status;
  await socket.waitFor("the player to be accepted", () => status() === "ACTIVE");
  await until("its span", () => recorded.named("gamelift.accept_player_session").length === 1);
  await room.leave();
  await socket.waitFor("the player to be removed", () => status() === "COMPLETED");

  socket.terminate();
  await until("the exit", () => exit.mock.calls.length === 1);
  await socket.waitFor("the last goodbye", () => socket.open === 0);
  expect(exit).toHaveBeenCalledWith(0);
  expect(fleet.openSpans()).toBe(0);

  expect(roots(recorded)).toEqual(["gameserver.boot", "session.started"]);
  expect(spanTree(recorded.spans())).toMatchInlineSnapshot(`
    "gameserver.boot
      gameserver.boot.load
      gamelift.connect
      gameserver.boot.prepare
      gameserver.boot.listen
      gamelift.process_ready
    session.started
      session.phase.login
      session.lifecycle
      provision.allocate_server
        provision.gamelift_create_session
          gameserver.allocated  ~> gameserver.boot
            gameserver.map_load
            gamelift.activate_game_session
        provision.gamelift_wait_active
      matchmake arena
        room.join arena
          gamelift.accept_player_session  ~> session.started
      session.phase.in_game"
  `);
  expect(starts(recorded)).toEqual(["warm", "warm"]);

  expect(socket.process()).toMatchObject({ state: "terminated", port: Number(port) });
  expect(socket.gameSessions.get(found.name)).toMatchObject({ status: "TERMINATED" });
  expect(api.sessions).toMatchObject([{ id: found.name, status: "TERMINATED" }]);
  expect(api.tally()).toMatchObject({ success: 1, warm: 1, cold: 0 });
  const once = { ActivateServerProcess: 1, ActivateGameSession: 1, AcceptPlayerSession: 1, RemovePlayerSession: 1 };
  expect(socket.calls).toMatchObject({ ...once, TerminateServerProcess: 1 });
  expect(socket.connections).toHaveLength(3);
});

test("a server process that is started because the fleet had none left: cold on both sides, in the trace of whoever waited", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  await using fleet = await openFleet();
  const { api, socket, recorded } = fleet;
  const session = fleet.login("ann");
  const asked = fleet.find(session.carrier);
  await api.waitFor(() => api.count("CreateGameSession") === 1);
  await using game = await fleet.boot(async () => {});
  const found = await asked;
  expect(found).toMatchObject({ port: Number(new URL(game.url).port), start: "cold" });
  await until("gameserver.allocated", () => recorded.named("gameserver.allocated").length === 1);

  expect(roots(recorded)).toEqual(["gameserver.boot", "session.started"]);
  expect(spanTree(recorded.spans())).toMatchInlineSnapshot(`
    "gameserver.boot
      gameserver.boot.load
      gamelift.connect
      gameserver.boot.prepare
      gameserver.boot.listen
      gamelift.process_ready
    session.started
      session.phase.login
      provision.allocate_server
        provision.gamelift_create_session  error.type=unallocated
        provision.wait_for_ready
        provision.gamelift_create_session
          gameserver.allocated  ~> gameserver.boot
            gameserver.map_load
            gamelift.activate_game_session
        provision.gamelift_wait_active"
  `);
  expect(starts(recorded)).toEqual(["cold", "cold"]);
  expect(fleet.openSpans()).toBe(0);
  expect(socket.gameSessions.get(found.name)).toMatchObject({ status: "ACTIVE" });
  expect(api.sessions).toMatchObject([{ id: found.name, status: "ACTIVE" }]);
  expect(api.tally()).toMatchObject({ success: 1, warm: 0, cold: 1 });
});

/** Both sides of GameLift, and one telemetry for all who speak to it. */
async function openFleet() {
  const stack = new AsyncDisposableStack();
  const { api, socket } = stack.use(await startGameLiftService());
  const recorded = recordTelemetry();
  const { tracerProvider, openSpans } = watchSpans(recorded.tracerProvider);
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "none" };
  const client = stack.adopt(
    new GameLiftClient({ region: "eu-west-1", endpoint: api.endpoint, credentials, maxAttempts: 1 }),
    (opened) => opened.destroy(),
  );
  const fleet = { client, fleetId: "fleet-1", maximumPlayers: 8, poll: QUICK };
  const provider = stack.use(gamelift({ ...fleet, tracerProvider, meterProvider: recorded.meterProvider }));
  return {
    api,
    socket,
    recorded,
    openSpans,
    /** A real Colyseus server as the fleet's process; resolves when it is ready. */
    async boot(load: () => Promise<void>): Promise<TestServer> {
      useGameLift(socket);
      const orchestrator = quickGameLift({ onGameSession: () => mapLoad("dust2", load), playerSessionOf });
      const game = await startServer({ arena: Arena }, { orchestrator, tracerProvider }, recorded);
      await game.telemetry.ready;
      return game;
    },
    login: (playerId: string) => startSession({ playerId, tracerProvider }),
    find: (player: TraceCarrier) =>
      allocate({ provider, mode: "ctf", players: [player], annotations: { match: "m-1" } }),
    async reserve(GameSessionId: string, player: string, carrier: TraceCarrier) {
      const PlayerDataMap = { [player]: gameLiftPlayerData(carrier)! };
      const command = new CreatePlayerSessionsCommand({ GameSessionId, PlayerIds: [player], PlayerDataMap });
      return (await client.send(command)).PlayerSessions![0]!.PlayerSessionId!;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const playerSessionOf = (_client: Client, options: unknown) => (options as { seat?: string }).seat;

/** The traces, each by its root. */
function roots(recorded: RecordingTelemetry): string[] {
  const traces = Map.groupBy(recorded.spans(), (span) => span.spanContext().traceId);
  return [...traces.values()]
    .map((spans) => spans.find((span) => !span.parentSpanContext)?.name ?? "no root")
    .toSorted();
}

/** What matchmaker and game server say of it. */
function starts(recorded: RecordingTelemetry) {
  const names = ["provision.allocate_server", "gameserver.allocated"];
  return names.map((name) => recorded.one(name).attributes["gameserver.start"]);
}
