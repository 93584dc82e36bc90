import { randomUUID } from "node:crypto";
import type { Fleet } from "./gamelift-fleet.ts";
import { join, type Session } from "./gamelift-hosted.ts";
import { checkProperties, found, idOf, ServiceError, type Input } from "./gamelift-input.ts";
import { describePlacement, newPlacement } from "./gamelift-placing.ts";

type Operation = (input: Input) => object;
export type Operations = Readonly<Record<string, Operation>>;

export function operationsOn(fleet: Fleet): Operations {
  return { ...gameSessions(fleet), ...placements(fleet), ...playerSessions(fleet) };
}

function gameSessions(fleet: Fleet): Operations {
  const tokens = new Map<string, { readonly words: string; readonly session: Session }>();
  return {
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
      const session = known?.session ?? fleet.open(input, token);
      tokens.set(token, { words, session });
      return { GameSession: session.describe() };
    },
    DescribeGameSessions: ({ GameSessionId }) => ({ GameSessions: [found(fleet.sessions, GameSessionId).describe()] }),
    TerminateGameSession({ GameSessionId }) {
      const session = found(fleet.sessions, GameSessionId);
      session.end("TERMINATED");
      return { GameSession: session.describe() };
    },
  };
}

function placements(fleet: Fleet): Operations {
  const shown = (id: unknown) => ({ GameSessionPlacement: describePlacement(found(fleet.placements, id)) });
  return {
    StartGameSessionPlacement(input) {
      const id = idOf(input["PlacementId"]);
      checkProperties(input);
      if (fleet.placements.has(id)) {
        throw new ServiceError("InvalidRequestException", `placement ${id} exists`);
      }
      fleet.placements.set(id, newPlacement(id, input, fleet.outside.changed));
      fleet.place();
      return shown(id);
    },
    DescribeGameSessionPlacement: ({ PlacementId }) => shown(PlacementId),
    StopGameSessionPlacement({ PlacementId }) {
      const placing = found(fleet.placements, PlacementId);
      if (placing.status !== "PENDING" || placing.session) {
        throw new ServiceError("InvalidRequestException", `placement is ${placing.status}, or has its game session`);
      }
      placing.cancel();
      return shown(PlacementId);
    },
  };
}

function playerSessions(fleet: Fleet): Operations {
  const seat = (id: unknown, player: unknown, data: unknown) => {
    const record = join(found(fleet.sessions, id), player, data);
    fleet.outside.seat(record);
    return record;
  };
  return {
    CreatePlayerSession: ({ PlayerId, PlayerData, GameSessionId }) => ({
      PlayerSession: seat(GameSessionId, PlayerId, PlayerData),
    }),
    CreatePlayerSessions({ PlayerIds, PlayerDataMap = {}, GameSessionId }) {
      const data = PlayerDataMap as Record<string, string>;
      return { PlayerSessions: (PlayerIds as string[]).map((id) => seat(GameSessionId, id, data[id])) };
    },
  };
}
