import { randomUUID } from "node:crypto";

export type SessionStatus = "ACTIVATING" | "ACTIVE" | "TERMINATING" | "TERMINATED" | "ERROR";
export type PlacementStatus = "PENDING" | "FULFILLED" | "CANCELLED" | "TIMED_OUT" | "FAILED";

/** What the server process is told, and what it does. */
export interface HostedSession {
  readonly id: string;
  readonly maximumPlayers: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string | undefined;
  readonly status: SessionStatus;
  /** ActivateGameSession. */
  activate(): void;
  /** Ends it: its process is replaced. */
  end(status: "TERMINATED" | "ERROR"): void;
}

export interface Placement {
  readonly id: string;
  readonly status: PlacementStatus;
  readonly session: HostedSession | undefined;
  /** Its queue's time-out. */
  timeOut(): void;
  /** By somebody else. */
  cancel(): void;
}

/** The service's answer in case of an error. */
export class ServiceError extends Error {
  readonly type: string;
  readonly status: number;
  constructor(type: string, message = "", status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

type Input = Readonly<Record<string, unknown>>;
type Operation = (input: Input) => object;

interface GameProperty {
  readonly Key: string;
  readonly Value: string;
}

interface Session extends HostedSession {
  status: SessionStatus;
  describe(): object;
  readonly players: object[];
}

interface Placing extends Placement {
  status: PlacementStatus;
  session: Session | undefined;
  readonly input: Input;
}

export interface Fleet {
  /** Server processes that wait for a game session. */
  free: number;
  readonly sessions: readonly HostedSession[];
  readonly placements: readonly Placement[];
  readonly operations: Readonly<Record<string, Operation>>;
  /** Gives processes to placements that wait for one. */
  place(): void;
}

/** @param host is told of each game session, as its server process is */
export function createFleet(processes: number, host: (session: HostedSession) => void, changed: () => void): Fleet {
  const sessions = new Map<string, Session>();
  const placements = new Map<string, Placing>();
  const tokens = new Map<string, { readonly words: string; readonly session: Session }>();

  function open(input: Input, token: string): Session {
    fleet.free -= 1;
    const session = newSession(input, `arn:aws:gamelift:eu-west-1::gamesession/fleet-1/${token}`, sessions.size, () => {
      if (session.status === "TERMINATED" || session.status === "ERROR") {
        fleet.free += 1;
      }
      settle();
      changed();
    });
    sessions.set(session.id, session);
    host(session);
    return session;
  }

  function settle(): void {
    for (const placing of placements.values()) {
      const status = placing.session?.status;
      if (placing.status === "PENDING" && status !== undefined && status !== "ACTIVATING") {
        placing.status = status === "ACTIVE" ? "FULFILLED" : "FAILED";
      }
    }
  }

  const fleet: Fleet = {
    free: processes,
    get sessions() {
      return [...sessions.values()];
    },
    get placements() {
      return [...placements.values()];
    },
    place() {
      for (const placing of placements.values()) {
        if (placing.status === "PENDING" && !placing.session && fleet.free > 0) {
          placing.session = open(placing.input, placing.id);
        }
      }
      changed();
    },
    operations: {
      CreateGameSession(input) {
        const token = idOf(input["IdempotencyToken"] ?? randomUUID());
        const words = JSON.stringify(input);
        const known = tokens.get(token);
        if (known && known.words !== words) {
          throw new ServiceError("IdempotentParameterMismatchException", "other parameters for the same token");
        }
        checkProperties(input);
        if (!known && fleet.free < 1) {
          throw new ServiceError("FleetCapacityExceededException", "no available server process");
        }
        const session = known?.session ?? open(input, token);
        tokens.set(token, { words, session });
        return { GameSession: session.describe() };
      },
      DescribeGameSessions: ({ GameSessionId }) => ({ GameSessions: [found(sessions, GameSessionId).describe()] }),
      TerminateGameSession({ GameSessionId }) {
        const session = found(sessions, GameSessionId);
        session.end("TERMINATED");
        return { GameSession: session.describe() };
      },
      StartGameSessionPlacement(input) {
        const id = idOf(input["PlacementId"]);
        checkProperties(input);
        if (placements.has(id)) {
          throw new ServiceError("InvalidRequestException", `placement ${id} exists`);
        }
        placements.set(id, newPlacement(id, input, changed));
        fleet.place();
        return { GameSessionPlacement: describePlacement(found(placements, id)) };
      },
      DescribeGameSessionPlacement: ({ PlacementId }) => ({
        GameSessionPlacement: describePlacement(found(placements, PlacementId)),
      }),
      StopGameSessionPlacement({ PlacementId }) {
        const placing = found(placements, PlacementId);
        if (placing.status !== "PENDING") {
          throw new ServiceError("InvalidRequestException", `placement is ${placing.status}`);
        }
        placing.cancel();
        return { GameSessionPlacement: describePlacement(placing) };
      },
      CreatePlayerSession: ({ PlayerId, PlayerData, GameSessionId }) => ({
        PlayerSession: join(found(sessions, GameSessionId), PlayerId, PlayerData),
      }),
      CreatePlayerSessions({ PlayerIds, PlayerDataMap, GameSessionId }) {
        const data = (PlayerDataMap ?? {}) as Record<string, string>;
        const session = found(sessions, GameSessionId);
        return { PlayerSessions: (PlayerIds as string[]).map((id) => join(session, id, data[id])) };
      },
    },
  };
  return fleet;
}

function newSession(input: Input, id: string, index: number, changed: () => void): Session {
  const properties = (input["GameProperties"] ?? []) as readonly GameProperty[];
  const session: Session = {
    id,
    status: "ACTIVATING",
    maximumPlayers: Number(input["MaximumPlayerSessionCount"]),
    properties: Object.fromEntries(properties.map(({ Key, Value }) => [Key, Value])),
    data: input["GameSessionData"] as string | undefined,
    players: [],
    activate: () => become("ACTIVE"),
    end: (status) => become(status),
    describe: () => ({
      GameSessionId: id,
      FleetId: "fleet-1",
      Status: session.status,
      CreationTime: Date.now() / 1000,
      CurrentPlayerSessionCount: session.players.length,
      MaximumPlayerSessionCount: session.maximumPlayers,
      GameProperties: properties,
      IpAddress: "127.0.0.1",
      DnsName: "ec2-127-0-0-1.compute.amazonaws.com",
      Port: 7001 + index,
      Location: input["Location"] ?? "eu-west-1",
      ComputeName: "i-0123",
    }),
  };
  const become = (status: SessionStatus) => {
    const ended = session.status !== "ACTIVATING" && session.status !== "ACTIVE";
    if (!ended && session.status !== status) {
      session.status = status;
      changed();
    }
  };
  return session;
}

function newPlacement(id: string, input: Input, changed: () => void): Placing {
  const become = (status: PlacementStatus) => {
    if (placing.status === "PENDING") {
      placing.status = status;
      placing.session?.end("TERMINATED");
      changed();
    }
  };
  const placing: Placing = {
    id,
    input,
    status: "PENDING",
    session: undefined,
    timeOut: () => become("TIMED_OUT"),
    cancel: () => become("CANCELLED"),
  };
  return placing;
}

function describePlacement({ id, status, input, session }: Placing): object {
  const placed = status === "FULFILLED" ? session?.describe() : undefined;
  return {
    ...(placed && { ...placed, GameSessionRegion: "eu-west-1", Location: undefined }),
    PlacementId: id,
    GameSessionQueueName: input["GameSessionQueueName"],
    Status: status,
    GameProperties: input["GameProperties"],
  };
}

function join(session: Session, PlayerId: unknown, PlayerData: unknown): object {
  if (session.status !== "ACTIVE") {
    throw new ServiceError("InvalidGameSessionStatusException", `game session is ${session.status}`);
  }
  if (session.players.length >= session.maximumPlayers) {
    throw new ServiceError("GameSessionFullException", "no room");
  }
  const player = {
    PlayerSessionId: `psess-${randomUUID()}`,
    GameSessionId: session.id,
    PlayerId,
    PlayerData,
    Status: "RESERVED",
  };
  session.players.push(player);
  return player;
}

function found<T>(among: ReadonlyMap<string, T>, id: unknown): T {
  const one = among.get(String(id));
  if (!one) {
    throw new ServiceError("NotFoundException", `no ${String(id)}`);
  }
  return one;
}

function idOf(value: unknown): string {
  if (typeof value !== "string" || !/^[a-zA-Z0-9-]{1,48}$/.test(value)) {
    throw new ServiceError("InvalidRequestException", `not an id: ${String(value)}`);
  }
  return value;
}

/** The model's limits. */
function checkProperties(input: Input): void {
  const properties = (input["GameProperties"] ?? []) as readonly GameProperty[];
  const fits = properties.every(({ Key, Value }) => Key.length <= 32 && Value.length <= 96);
  if (!fits || properties.length > 16 || !(Number(input["MaximumPlayerSessionCount"]) >= 0)) {
    throw new ServiceError("InvalidRequestException", "out of the model's limits");
  }
}
