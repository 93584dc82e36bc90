import { Room, type Client } from "@colyseus/core";
import type { SpanProcessor } from "@opentelemetry/sdk-trace";
import { mapLoad } from "colyseus-otel";
import { afterEach, expect, test, vi } from "vitest";
import { startFleet } from "./_gamelift.ts";
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
