import { randomUUID } from "node:crypto";
import { ServiceError, type GameProperty, type Input } from "./gamelift-input.ts";
import type { PlayerSessionRecord } from "./gamelift-truth.ts";

export type SessionStatus = "ACTIVATING" | "ACTIVE" | "TERMINATING" | "TERMINATED" | "ERROR";

/** What the server process is told, and what it does. */
export interface HostedSession {
  readonly id: string;
  readonly maximumPlayers: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string | undefined;
  readonly status: SessionStatus;
  /** ActivateGameSession. */
  activate(): void;
  /** Ends it, and its process with it. */
  end(status: "TERMINATED" | "ERROR"): void;
}

/** As the service keeps it. */
export interface Session extends HostedSession {
  status: SessionStatus;
  /** Where its process listens. */
  readonly port: number;
  readonly players: PlayerSessionRecord[];
  describe(): object;
}

export function newSession(input: Input, id: string, port: number, changed: () => void): Session {
  const properties = (input["GameProperties"] ?? []) as readonly GameProperty[];
  const become = (status: SessionStatus) => {
    const ended = session.status !== "ACTIVATING" && session.status !== "ACTIVE";
    if (!ended && session.status !== status) {
      session.status = status;
      changed();
    }
  };
  const session: Session = {
    id,
    port,
    status: "ACTIVATING",
    maximumPlayers: Number(input["MaximumPlayerSessionCount"]),
    properties: Object.fromEntries(properties.map(({ Key, Value }) => [Key, Value])),
    data: input["GameSessionData"] as string | undefined,
    players: [],
    activate: () => become("ACTIVE"),
    end: (status) => become(status),
    describe: () => describeSession(session, input),
  };
  return session;
}

function describeSession(session: Session, input: Input): object {
  return {
    GameSessionId: session.id,
    FleetId: "fleet-1",
    Status: session.status,
    CreationTime: Date.now() / 1000,
    CurrentPlayerSessionCount: seatsTaken(session),
    MaximumPlayerSessionCount: session.maximumPlayers,
    GameProperties: input["GameProperties"] ?? [],
    IpAddress: "127.0.0.1",
    DnsName: "ec2-127-0-0-1.compute.amazonaws.com",
    Port: session.port,
    Location: input["Location"] ?? "eu-west-1",
    ComputeName: "i-0123",
  };
}

/** Reserves a seat for a player. */
export function join(session: Session, PlayerId: unknown, PlayerData: unknown): PlayerSessionRecord {
  if (session.status !== "ACTIVE") {
    throw new ServiceError("InvalidGameSessionStatusException", `game session is ${session.status}`);
  }
  if (seatsTaken(session) >= session.maximumPlayers) {
    throw new ServiceError("GameSessionFullException", "no room");
  }
  const player: PlayerSessionRecord = {
    PlayerSessionId: `psess-${randomUUID()}`,
    GameSessionId: session.id,
    PlayerId: String(PlayerId),
    PlayerData: PlayerData as string | undefined,
    Status: "RESERVED",
  };
  session.players.push(player);
  return player;
}

function seatsTaken({ players }: Session): number {
  return players.filter(({ Status }) => Status !== "COMPLETED").length;
}
