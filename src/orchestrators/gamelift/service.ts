import { GameLiftError } from "./game-lift-error.ts";
import type { Fields } from "./frames.ts";

/** A player's seat in a game session, in GameLift's own words. Times are epoch milliseconds. */
export interface PlayerSession {
  readonly PlayerSessionId: string;
  readonly PlayerId: string;
  readonly GameSessionId: string;
  readonly FleetId: string;
  /** Up to 2,048 characters of whoever made the player session. */
  readonly PlayerData: string;
  readonly IpAddress: string;
  readonly DnsName: string;
  readonly Port: number;
  readonly CreationTime: number;
  readonly TerminationTime: number;
  readonly Status: string;
}

/** Exactly one of the first three is needed. */
export interface DescribePlayerSessions {
  readonly GameSessionId?: string;
  readonly PlayerId?: string;
  readonly PlayerSessionId?: string;
  readonly PlayerSessionStatusFilter?: "RESERVED" | "ACTIVE" | "COMPLETED" | "TIMEDOUT";
  readonly NextToken?: string;
  readonly Limit?: number;
}

export interface MatchBackfill {
  readonly GameSessionArn: string;
  readonly MatchmakingConfigurationArn: string;
  readonly TicketId?: string;
  readonly Players: readonly object[];
}

export interface FleetRoleCredentials {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly SessionToken: string;
  /** Epoch milliseconds. */
  readonly Expiration: number;
  readonly AssumedRoleUserArn: string;
  readonly AssumedRoleId: string;
}

/**
 * The calls of GameLift's server SDK that a Colyseus server may want to make itself. Each rejects with a GameLiftError: the
 * service refused it, failed, or did not answer in 20 seconds.
 */
export interface GameLiftService {
  /** The seat is taken. Only where the game checks players itself, in `onAuth`; else `playerSessionOf` does it. */
  acceptPlayerSession(playerSessionId: string): Promise<void>;
  removePlayerSession(playerSessionId: string): Promise<void>;
  describePlayerSessions(
    request: DescribePlayerSessions,
  ): Promise<{ readonly PlayerSessions: readonly PlayerSession[]; readonly NextToken?: string }>;
  updatePlayerSessionCreationPolicy(policy: "ACCEPT_ALL" | "DENY_ALL"): Promise<void>;
  startMatchBackfill(request: MatchBackfill): Promise<{ readonly TicketId: string }>;
  stopMatchBackfill(request: Omit<MatchBackfill, "Players">): Promise<void>;
  getComputeCertificate(): Promise<{ readonly CertificatePath: string; readonly ComputeName: string }>;
  getFleetRoleCredentials(request: {
    readonly RoleArn: string;
    readonly RoleSessionName: string;
  }): Promise<FleetRoleCredentials>;
}

type Call = (action: string, fields?: Fields, repeatable?: boolean) => Promise<Fields>;

/** @param gameSessionId of the game session that is played; undefined while there is none */
export function createService(call: Call, gameSessionId: () => string | undefined): GameLiftService {
  const inSession = async (action: string, fields: Fields) => {
    const GameSessionId = gameSessionId();
    if (GameSessionId === undefined) {
      throw new GameLiftError("closed", action, "there is no game session");
    }
    await call(action, { GameSessionId, ...fields });
  };
  return {
    acceptPlayerSession: (PlayerSessionId) => inSession("AcceptPlayerSession", { PlayerSessionId }),
    removePlayerSession: (PlayerSessionId) => inSession("RemovePlayerSession", { PlayerSessionId }),
    updatePlayerSessionCreationPolicy: (PlayerSessionPolicy) =>
      inSession("UpdatePlayerSessionCreationPolicy", { PlayerSessionPolicy }),
    async describePlayerSessions(request) {
      const { PlayerSessions, NextToken } = await call("DescribePlayerSessions", { ...request });
      return {
        PlayerSessions: Array.isArray(PlayerSessions) ? (PlayerSessions as PlayerSession[]) : [],
        ...(typeof NextToken === "string" && { NextToken }),
      };
    },
    async startMatchBackfill(request) {
      // Without a ticket's id a second one would be a second ticket.
      const { TicketId } = await call("StartMatchBackfill", { ...request }, request.TicketId !== undefined);
      return { TicketId: typeof TicketId === "string" ? TicketId : "" };
    },
    async stopMatchBackfill(request) {
      await call("StopMatchBackfill", { ...request });
    },
    getComputeCertificate: async () => as<"getComputeCertificate">(await call("GetComputeCertificate")),
    getFleetRoleCredentials: async (request) =>
      as<"getFleetRoleCredentials">(await call("GetFleetRoleCredentials", request)),
  };
}

/** The service's word is taken for it, as the official SDKs do. */
function as<K extends keyof GameLiftService>(answer: Fields): Awaited<ReturnType<GameLiftService[K]>> {
  return answer as unknown as Awaited<ReturnType<GameLiftService[K]>>;
}
