import {
  checkBoolean,
  checkDuration,
  checkFunction,
  checkKeys,
  checkPort,
  checkStrings,
  optional,
} from "./internal/check.ts";
import { createGameLift, type GameLift } from "./orchestrators/gamelift/adapter.ts";
import { PARAMETERS, type ServerParameters } from "./orchestrators/gamelift/environment.ts";
import type { GameSession } from "./orchestrators/gamelift/game-session.ts";
import type { GameSessionUpdate } from "./orchestrators/gamelift/game-sessions.ts";
import type { HealthCheck } from "./orchestrators/gamelift/heartbeat.ts";
import type { PlayerSessionOf } from "./orchestrators/gamelift/player-sessions.ts";

export type { GameLift } from "./orchestrators/gamelift/adapter.ts";
export type { ServerParameters } from "./orchestrators/gamelift/environment.ts";
export { GameLiftError, type GameLiftFailure } from "./orchestrators/gamelift/game-lift-error.ts";
export type { GameSession } from "./orchestrators/gamelift/game-session.ts";
export type { GameSessionUpdate } from "./orchestrators/gamelift/game-sessions.ts";
export type { HealthCheck } from "./orchestrators/gamelift/heartbeat.ts";
export type { PlayerSessionOf } from "./orchestrators/gamelift/player-sessions.ts";
export type {
  DescribePlayerSessions,
  FleetRoleCredentials,
  GameLiftService,
  MatchBackfill,
  PlayerSession,
} from "./orchestrators/gamelift/service.ts";
export type { Orchestrator } from "./orchestrators/orchestrator.ts";

export interface GameLiftOptions {
  /**
   * Who this server is, on an Anywhere fleet without an agent. The environment goes before it, and has everything on a
   * managed fleet.
   *
   * @default {}
   */
  readonly server?: ServerParameters;
  /**
   * Milliseconds for connecting, and again for ActivateServerProcess. Past it the boot counts as failed.
   *
   * @default 60000
   */
  readonly deadline?: number;
  /**
   * The port that players connect to.
   *
   * @default the one that the server listens on
   */
  readonly port?: number;
  /**
   * Files and folders that GameLift keeps when the server has ended.
   *
   * @default []
   */
  readonly logPaths?: readonly string[];
  /**
   * Runs at each game session, inside `gameserver.allocated`: load the match's map here. When it is done the game session
   * is made ACTIVE, and players may come. What it throws is reported, and the game session never turns ACTIVE.
   */
  readonly onGameSession?: (gameSession: GameSession) => unknown;
  /** The matchmaker has changed the running game session: a backfill. */
  readonly onUpdate?: (update: GameSessionUpdate) => unknown;
  /**
   * Milliseconds that the fleet gives a game session until it is ACTIVE: the runtime configuration's
   * GameSessionActivationTimeoutSeconds. Past it the service is told no more.
   *
   * @default 300000
   */
  readonly activationTimeout?: number;
  /**
   * Whether this server is well, asked each minute. One that throws, or takes 50 seconds, says that it is not, and GameLift ends
   * a server that stays unwell.
   *
   * @default a server that answers is well
   */
  readonly health?: HealthCheck;
  /**
   * Which player session a player came with: it is accepted when the join is confirmed and removed when the seat is given
   * up. Costs two calls a player. Leave it out where the game calls acceptPlayerSession() itself.
   *
   * @default none: GameLift hears nothing of players
   */
  readonly playerSessionOf?: PlayerSessionOf;
  /**
   * Links a player's `gamelift.accept_player_session` to the trace context in the player session's PlayerData. Costs a call
   * more a player.
   *
   * @default true, with `playerSessionOf`
   */
  readonly readPlayerData?: boolean;
}

const KNOWN = [
  "server",
  "deadline",
  "port",
  "logPaths",
  "onGameSession",
  "onUpdate",
  "activationTimeout",
  "health",
  "playerSessionOf",
  "readPlayerData",
] as const satisfies (keyof GameLiftOptions)[];

/**
 * Amazon GameLift Servers, by the WebSocket of its server SDK 5 (install `ws` beside this package, where Colyseus'
 * ws-transport has not). Needs no GameLift SDK: there is none for Node.
 *
 * @throws TypeError for an unknown option, or a value of the wrong kind. What is missing in the environment fails the boot.
 */
export function gamelift(options: GameLiftOptions = {}): GameLift {
  checkKeys("gamelift", options, KNOWN);
  const { deadline = 60_000, activationTimeout = 300_000, logPaths = [], readPlayerData = true, port } = options;
  for (const name of ["onGameSession", "onUpdate", "health", "playerSessionOf"] as const) {
    if (options[name] !== undefined) {
      checkFunction(`gamelift.${name}`, options[name]);
    }
  }
  return createGameLift({
    server: checkServer(options.server === undefined ? {} : options.server),
    deadline: checkDuration("gamelift.deadline", deadline),
    port: optional(port, (given) => checkPort("gamelift.port", given)),
    logPaths: checkStrings("gamelift.logPaths", logPaths),
    activationTimeout: checkDuration("gamelift.activationTimeout", activationTimeout),
    readPlayerData: checkBoolean("gamelift.readPlayerData", readPlayerData),
    onGameSession: options.onGameSession,
    onUpdate: options.onUpdate,
    health: options.health,
    playerSessionOf: options.playerSessionOf,
  });
}

function checkServer(server: ServerParameters): ServerParameters {
  checkKeys("gamelift.server", server, Object.keys(server ?? {}));
  for (const [name, value] of Object.entries(server)) {
    // No value is shown: it may be a key or a token, whatever its name.
    if (!Object.hasOwn(PARAMETERS, name)) {
      throw new TypeError(`gamelift.server: unknown option "${name}"; known are ${Object.keys(PARAMETERS).join(", ")}`);
    }
    if (typeof value !== "string" || value === "") {
      throw new TypeError(`gamelift.server.${name} must be a string that is not empty`);
    }
  }
  return Object.freeze({ ...server });
}
