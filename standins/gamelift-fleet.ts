import { newSession, type HostedSession, type Session } from "./gamelift-hosted.ts";
import type { Input } from "./gamelift-input.ts";
import { settle, type Placing } from "./gamelift-placing.ts";
import type { PlayerSessionRecord } from "./gamelift-truth.ts";

/** What happens outside of the API. */
export interface FleetHost {
  /** A server process is told of its game session. */
  host(session: HostedSession): void;
  /** Where the next server process listens, if anybody knows. */
  port(): number | undefined;
  seat(player: PlayerSessionRecord): void;
  /** Whether another server process follows one whose game session has ended. */
  readonly replaced: boolean;
  changed(): void;
}

export interface Fleet {
  /** Server processes that wait for a game session. */
  free: number;
  readonly sessions: ReadonlyMap<string, Session>;
  readonly placements: Map<string, Placing>;
  readonly outside: FleetHost;
  open(input: Input, token: string): Session;
  /** Gives processes to placements that wait for one. */
  place(): void;
}

export function createFleet(processes: number, outside: FleetHost): Fleet {
  const sessions = new Map<string, Session>();
  const fleet: Fleet = {
    free: processes,
    sessions,
    placements: new Map(),
    outside,
    open(input, token) {
      fleet.free -= 1;
      const id = `arn:aws:gamelift:eu-west-1::gamesession/fleet-1/${token}`;
      const port = outside.port() ?? 7001 + sessions.size;
      const session = newSession(input, id, port, () => turned(fleet, session));
      sessions.set(id, session);
      outside.host(session);
      return session;
    },
    place() {
      for (const placing of fleet.placements.values()) {
        if (placing.status === "PENDING" && !placing.session && fleet.free > 0) {
          placing.session = fleet.open(placing.input, placing.id);
        }
      }
      outside.changed();
    },
  };
  return fleet;
}

function turned(fleet: Fleet, { status }: Session): void {
  if (fleet.outside.replaced && (status === "TERMINATED" || status === "ERROR")) {
    fleet.free += 1;
  }
  for (const placing of fleet.placements.values()) {
    settle(placing);
  }
  fleet.outside.changed();
}
