import { randomUUID } from "node:crypto";
import type { GameLiftSocket } from "./gamelift-handle.ts";
import type { ServerProcess } from "./gamelift-truth.ts";
import type { Wire } from "./gamelift-wire.ts";

type Pushes = Pick<
  GameLiftSocket,
  | "process"
  | "createGameSession"
  | "repeatGameSession"
  | "createPlayerSession"
  | "updateGameSession"
  | "terminate"
  | "refresh"
  | "send"
>;

/** What the service says unasked, and what it knows before. */
export function pushesOver({ truth, tokens, sockets }: Wire, url: string): Pushes {
  const send: Pushes["send"] = (text) => [...sockets].at(-1)?.send(text);
  const push = (fields: object) => send(JSON.stringify(fields));
  const process = () => theOne(truth.processes);
  return {
    process,
    send,
    createGameSession(session = {}) {
      const { GameSessionId = `arn:aws:gamelift:eu-central-1::gamesession/fleet-1/${randomUUID()}`, ...fields } =
        session;
      const record = { GameSessionId, processId: process().id, status: "ACTIVATING", creation: "ACCEPT_ALL" } as const;
      truth.gameSessions.set(GameSessionId, { ...record });
      const usual = { MaximumPlayerSessionCount: 8, IpAddress: "127.0.0.1" };
      push({ Action: "CreateGameSession", GameSessionId, ...usual, ...fields });
      return GameSessionId;
    },
    repeatGameSession: (GameSessionId) => push({ Action: "CreateGameSession", GameSessionId }),
    createPlayerSession(GameSessionId, PlayerData = "") {
      const PlayerSessionId = `psess-${randomUUID()}`;
      const record = { PlayerSessionId, GameSessionId, PlayerData, PlayerId: "ann", Status: "RESERVED" } as const;
      truth.playerSessions.set(PlayerSessionId, { ...record });
      return PlayerSessionId;
    },
    updateGameSession(GameSessionId, fields, UpdateReason) {
      const GameSession = { GameSessionId, ...fields };
      push({ Action: "UpdateGameSession", GameSession, UpdateReason, BackfillTicketId: "t-1" });
    },
    terminate: (TerminationTime = Date.now() + 300_000) => push({ Action: "TerminateProcess", TerminationTime }),
    refresh(revoke = false) {
      if (revoke) {
        tokens.clear();
      }
      const AuthToken = `token-${randomUUID()}`;
      tokens.add(AuthToken);
      push({ Action: "RefreshConnection", RefreshConnectionEndpoint: url, AuthToken });
    },
  };
}

function theOne(processes: ReadonlyMap<string, ServerProcess>): ServerProcess {
  const [one] = processes.values();
  if (!one) {
    throw new Error("no process has connected");
  }
  return one;
}
