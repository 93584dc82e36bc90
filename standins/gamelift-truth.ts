import { randomUUID } from "node:crypto";

export type ProcessState = "connected" | "ready" | "terminated";

export interface ServerProcess {
  readonly id: string;
  state: ProcessState;
  port: number | undefined;
  /** What each heartbeat said. */
  readonly heartbeats: boolean[];
}

export interface GameSessionRecord {
  readonly GameSessionId: string;
  readonly processId: string;
  status: "ACTIVATING" | "ACTIVE" | "TERMINATED";
  creation: "ACCEPT_ALL" | "DENY_ALL";
}

export interface PlayerSessionRecord {
  readonly PlayerSessionId: string;
  readonly GameSessionId: string;
  readonly PlayerId: string;
  readonly PlayerData: string | undefined;
  Status: "RESERVED" | "ACTIVE" | "COMPLETED";
}

/** What the service knows, whoever is connected. */
export interface Truth {
  readonly processes: Map<string, ServerProcess>;
  readonly gameSessions: Map<string, GameSessionRecord>;
  readonly playerSessions: Map<string, PlayerSessionRecord>;
}

export interface Reply {
  readonly StatusCode: number;
  readonly ErrorMessage?: string;
  readonly [field: string]: unknown;
}

type Request = Readonly<Record<string, unknown>>;

const OK: Reply = { StatusCode: 200 };

/** Carries out what a process asks for. Twice the same is once; but a player is accepted, and removed, only once. */
export function carryOut(truth: Truth, process: ServerProcess, request: Request): Reply {
  const act = ACTIONS[String(request["Action"])];
  if (!act) {
    return refused(`unknown action ${String(request["Action"])}`);
  }
  if (process.state === "terminated") {
    return refused("the process has ended");
  }
  return act(truth, process, request);
}

const ACTIONS: Record<string, (truth: Truth, process: ServerProcess, request: Request) => Reply> = {
  ActivateServerProcess(_truth, process, { Port: port, SdkVersion: version, LogPaths: paths }) {
    if (typeof port !== "number" || typeof version !== "string" || !Array.isArray(paths)) {
      return refused("Port, SdkVersion and LogPaths are needed");
    }
    process.state = "ready";
    process.port = port;
    return OK;
  },
  HeartbeatServerProcess(_truth, process, { HealthStatus: healthy }) {
    process.heartbeats.push(healthy === true);
    return OK;
  },
  ActivateGameSession(truth, process, request) {
    const session = sessionOf(truth, process, request);
    if (!session || session.status === "TERMINATED") {
      return refused("no such game session");
    }
    session.status = "ACTIVE";
    return OK;
  },
  UpdatePlayerSessionCreationPolicy(truth, process, request) {
    const session = sessionOf(truth, process, request);
    if (!session) {
      return refused("no such game session");
    }
    session.creation = request["PlayerSessionPolicy"] === "DENY_ALL" ? "DENY_ALL" : "ACCEPT_ALL";
    return OK;
  },
  AcceptPlayerSession: (truth, process, request) => movePlayer(truth, process, request, "RESERVED", "ACTIVE"),
  RemovePlayerSession: (truth, process, request) => movePlayer(truth, process, request, "ACTIVE", "COMPLETED"),
  DescribePlayerSessions(truth, _process, { PlayerSessionId: id, GameSessionId: session }) {
    const found = [...truth.playerSessions.values()].filter(
      (player) => player.PlayerSessionId === id || player.GameSessionId === session,
    );
    return { ...OK, PlayerSessions: found };
  },
  TerminateServerProcess(truth, process) {
    process.state = "terminated";
    for (const session of truth.gameSessions.values()) {
      if (session.processId === process.id) {
        session.status = "TERMINATED";
      }
    }
    return OK;
  },
  StartMatchBackfill: (_truth, _process, { TicketId: ticket }) => ({ ...OK, TicketId: ticket ?? randomUUID() }),
  StopMatchBackfill: () => OK,
  GetComputeCertificate: () => ({ ...OK, CertificatePath: "/local/game/tls", ComputeName: "host-1" }),
  GetFleetRoleCredentials: () => ({
    ...OK,
    AccessKeyId: "AK",
    SecretAccessKey: "SK",
    SessionToken: "ST",
    Expiration: 1,
  }),
};

function sessionOf(
  truth: Truth,
  process: ServerProcess,
  { GameSessionId: id }: Request,
): GameSessionRecord | undefined {
  const session = truth.gameSessions.get(String(id));
  return session?.processId === process.id ? session : undefined;
}

function movePlayer(
  truth: Truth,
  process: ServerProcess,
  request: Request,
  from: PlayerSessionRecord["Status"],
  to: PlayerSessionRecord["Status"],
): Reply {
  const player = truth.playerSessions.get(String(request["PlayerSessionId"]));
  if (!player || !sessionOf(truth, process, request) || player.GameSessionId !== request["GameSessionId"]) {
    return refused("no such player session");
  }
  if (player.Status !== from) {
    return refused(`the player session is ${player.Status}`);
  }
  player.Status = to;
  return OK;
}

function refused(ErrorMessage: string): Reply {
  return { StatusCode: 400, ErrorMessage };
}
