import type { Room } from "@colyseus/core";
import type { InstrumentOptions } from "colyseus-otel";
import type { GameLift } from "colyseus-otel/gamelift";
import { createGameLift, type ResolvedGameLiftOptions } from "../src/orchestrators/gamelift/adapter.ts";
import { TIMINGS, type Timings } from "../src/orchestrators/gamelift/timings.ts";
import { startGameLift, type GameLiftSocket } from "../standins/gamelift-socket.ts";
import { startServer, type TestServer } from "./_server.ts";
import type { RecordingTelemetry } from "./_telemetry.ts";

/** What must not take the seconds that it takes in a fleet. A call still has two, on a machine that others use. */
export const QUICK: Timings = { ...TIMINGS, call: 2000, firstPause: 5, longestPause: 40, retry: 20, flush: 2000 };

const OPTIONS: ResolvedGameLiftOptions = {
  server: {},
  deadline: 10_000,
  port: undefined,
  logPaths: [],
  activationTimeout: 10_000,
  health: undefined,
  onGameSession: undefined,
  onUpdate: undefined,
  playerSessionOf: undefined,
  readPlayerData: true,
};

/** Points the environment at the stand-in, as a fleet does. */
export function useGameLift({ url }: Pick<GameLiftSocket, "url">): void {
  Object.assign(process.env, {
    GAMELIFT_SDK_WEBSOCKET_URL: url,
    GAMELIFT_SDK_AUTH_TOKEN: "token-1",
    GAMELIFT_SDK_PROCESS_ID: "process-1",
    GAMELIFT_SDK_HOST_ID: "host-1",
    GAMELIFT_SDK_FLEET_ID: "fleet-1",
  });
}

export function quickGameLift(
  options: Partial<ResolvedGameLiftOptions> = {},
  timings: Partial<Timings> = {},
): GameLift {
  return createGameLift({ ...OPTIONS, ...options }, { ...QUICK, ...timings });
}

export interface Fleet extends AsyncDisposable {
  readonly service: GameLiftSocket;
  readonly gamelift: GameLift;
  readonly game: TestServer;
}

export interface FleetOptions {
  readonly options?: Partial<ResolvedGameLiftOptions>;
  readonly timings?: Partial<Timings>;
  readonly instrument?: InstrumentOptions;
  readonly recorded?: RecordingTelemetry;
  /** What is done to the service before the game starts. */
  readonly before?: (service: GameLiftSocket) => void;
}

/** A real Colyseus server on a fleet of one. */
export async function startFleet(room: new () => Room, fleet: FleetOptions = {}): Promise<Fleet> {
  const service = await startGameLift();
  useGameLift(service);
  fleet.before?.(service);
  const gamelift = quickGameLift(fleet.options, fleet.timings);
  const game = await startServer({ arena: room }, { orchestrator: gamelift, ...fleet.instrument }, fleet.recorded);
  return {
    service,
    gamelift,
    game,
    async [Symbol.asyncDispose]() {
      await game[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}
