// Stands in for Amazon GameLift Servers as a whole: its API (gamelift-api.ts) and its WebSocket (gamelift-socket.ts) know
// of the same server process, game sessions and player sessions. What each was checked against is said there; that
// together they behave as AWS does was never seen. Left out: TerminateGameSession reaches no server process.
import { startGameLiftApi, type GameLiftApi, type HostedSession } from "./gamelift-api.ts";
import { startGameLift, type GameLiftSocket } from "./gamelift-socket.ts";

export interface GameLiftService extends AsyncDisposable {
  /** For matchmakers. */
  readonly api: GameLiftApi;
  /** For one server process. */
  readonly socket: GameLiftSocket;
}

/** No server process is there before one has said that it is ready. */
export async function startGameLiftService(): Promise<GameLiftService> {
  const stack = new AsyncDisposableStack();
  const socket = stack.use(await startGameLift({ carriedOut: (request) => follow(api, request) }));
  const api = stack.use(
    await startGameLiftApi({
      processes: 0,
      replaced: false,
      port: () => socket.process().port,
      onCreateGameSession: (session) => void socket.createGameSession(pushed(session)),
      onCreatePlayerSession: (player) => void socket.playerSessions.set(player.PlayerSessionId, player),
    }),
  );
  return { api, socket, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** What the process has done is what the API shows. */
function follow(api: GameLiftApi, { Action, GameSessionId }: Readonly<Record<string, string>>): void {
  // Asked again where the answer was lost.
  if (Action === "ActivateServerProcess" && api.sessions.length + api.freeProcesses === 0) {
    api.addProcesses(1);
  }
  if (Action === "ActivateGameSession") {
    api.sessions.find(({ id }) => id === GameSessionId)?.activate();
  }
  if (Action === "TerminateServerProcess") {
    api.addProcesses(-api.freeProcesses);
    for (const session of api.sessions) {
      session.end("TERMINATED");
    }
  }
}

function pushed({ id, properties, data, maximumPlayers }: HostedSession) {
  return {
    GameSessionId: id,
    GameProperties: properties,
    ...(data !== undefined && { GameSessionData: data }),
    MaximumPlayerSessionCount: maximumPlayers,
  };
}
