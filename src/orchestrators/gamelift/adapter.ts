import type { Orchestrator, OrchestratorEvents } from "../orchestrator.ts";
import { createConnection } from "./connection.ts";
import { identifyServer, type ServerParameters } from "./environment.ts";
import { createFaults } from "./faults.ts";
import type { Fields } from "./frames.ts";
import { GameLiftError } from "./game-lift-error.ts";
import type { GameSession } from "./game-session.ts";
import { createGameSessions, type GameSessionOptions } from "./game-sessions.ts";
import { startHeartbeat, type HealthCheck } from "./heartbeat.ts";
import { createPlayerSessions, type PlayerSessionOf } from "./player-sessions.ts";
import { activateProcess, connectProcess, type ServerProcess } from "./process.ts";
import { refresh } from "./refresh.ts";
import { createService, type GameLiftService } from "./service.ts";
import { TIMINGS, type Timings } from "./timings.ts";

export interface ResolvedGameLiftOptions extends GameSessionOptions {
  readonly server: ServerParameters;
  readonly deadline: number;
  readonly port: number | undefined;
  readonly logPaths: readonly string[];
  readonly health: HealthCheck | undefined;
  readonly playerSessionOf: PlayerSessionOf | undefined;
  readonly readPlayerData: boolean;
}

/** The orchestrator for `instrument()`, and GameLift's server SDK for the game. */
export interface GameLift extends Orchestrator, GameLiftService {
  /** What is played, or about to be. */
  readonly gameSession: GameSession | undefined;
  /** Epoch milliseconds at which GameLift kills this server; undefined until it has asked for the end. */
  readonly terminationTime: number | undefined;
}

/** What there is from connect() on. */
interface Running extends ServerProcess {
  readonly connected: Promise<void>;
}

export function createGameLift(options: ResolvedGameLiftOptions, timings: Timings = TIMINGS): GameLift {
  const sessions = createGameSessions(options, timings, (id) => call("ActivateGameSession", { GameSessionId: id }));
  const service = createService(call, () => sessions.current?.GameSessionId);
  let running: Running | undefined;
  let failedEarly: unknown;
  /** The service may count on this process. */
  let known = false;
  let stopHeartbeat: (() => void) | undefined;

  async function call(action: string, fields: Fields = {}, repeatable = true): Promise<Fields> {
    if (!running) {
      throw new GameLiftError("closed", action, "this server is not connected to GameLift");
    }
    return running.connection.call(action, fields, { timeout: timings.call, repeatable });
  }

  function run(events: OrchestratorEvents): Running {
    const server = identifyServer(options.server, process.env);
    const tell = createFaults((kind) => events.fault(kind));
    const connection = createConnection(
      server,
      {
        tell,
        trouble: (reason) => events.trouble(reason),
        push(action, fields) {
          const understood =
            action === "RefreshConnection"
              ? refresh(connection, server.webSocketUrl, fields)
              : sessions.pushed(action, fields);
          if (!understood) {
            tell("wrong_type", action);
          }
        },
      },
      timings,
    );
    sessions.begin(events, server.fleetId);
    const started = { events, server, connection };
    return { ...started, connected: connectProcess(started, options.deadline) };
  }

  return {
    ...service,
    name: "gamelift",
    players:
      options.playerSessionOf &&
      createPlayerSessions(
        {
          service,
          playerSessionOf: options.playerSessionOf,
          readPlayerData: options.readPlayerData,
          told: (step) => running?.events.told(step),
        },
        timings,
      ),
    get gameSession() {
      return sessions.current;
    },
    get terminationTime() {
      return sessions.terminationTime;
    },
    connect(events) {
      try {
        running = run(events);
        running.connected.catch(() => {});
      } catch (error) {
        failedEarly = error;
      }
    },
    async ready(port) {
      if (!running) {
        throw failedEarly;
      }
      await running.connected;
      if (!sessions.open()) {
        throw new GameLiftError("closed", "ActivateServerProcess", "this server has ended before it was ready");
      }
      known = true;
      await activateProcess(running, { ...options, port: options.port ?? port }, timings);
      sessions.ready();
      stopHeartbeat = startHeartbeat(
        (HealthStatus) => call("HeartbeatServerProcess", { HealthStatus }),
        options.health,
        timings,
      );
    },
    async shutdown() {
      sessions.end();
      stopHeartbeat?.();
      if (known) {
        await running?.connection.call("TerminateServerProcess", {}, { timeout: timings.terminate });
      }
    },
    close() {
      sessions.end();
      stopHeartbeat?.();
      running?.connection.close();
    },
  };
}
