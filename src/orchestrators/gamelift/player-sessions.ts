import type { Client } from "@colyseus/core";
import { ATTRIBUTES, ERROR_TYPES, SPANS } from "../../conventions.ts";
import { now } from "../../internal/clock.ts";
import type { PlayerSeats, SeatedPlayer } from "../../internal/player-seats.ts";
import { describe } from "../../internal/report.ts";
import type { Failure } from "../../telling/step.ts";
import type { LaterStep } from "../orchestrator.ts";
import { carrierInPlayerData } from "./game-session.ts";
import { GameLiftError, isTransient } from "./game-lift-error.ts";
import { persist } from "./persist.ts";
import type { GameLiftService, PlayerSession } from "./service.ts";
import type { Timings } from "./timings.ts";

/**
 * Which player session the player came with: from the join options, or from what `onAuth` gave (`client.auth`). Undefined
 * for a player of whom GameLift does not know.
 */
export type PlayerSessionOf = (client: Client, joinOptions: unknown) => string | undefined;

interface Deps {
  readonly service: GameLiftService;
  readonly playerSessionOf: PlayerSessionOf;
  readonly readPlayerData: boolean;
  told(step: LaterStep): void;
}

interface Seat {
  readonly id: string;
  /** In how many rooms the player is. */
  rooms: number;
  readonly accepted: Promise<unknown>;
}

/** Ties GameLift's player sessions to joins and leaves. Nobody waits for it: what fails is told, and the player plays on. */
export function createPlayerSessions(
  { service, playerSessionOf, readPlayerData, told }: Deps,
  timings: Timings,
): PlayerSeats {
  // By player session: who goes from the lobby to the match is in both for a moment, and keeps the seat.
  const taken = new Map<string, Seat>();
  const seatOf = new WeakMap<SeatedPlayer, Seat>();

  async function accept(id: string, { context }: SeatedPlayer): Promise<void> {
    const start = now();
    const until = performance.now() + timings.playerSession;
    let failure: Failure | undefined;
    try {
      await persist(() => service.acceptPlayerSession(id), timings.retry, until);
    } catch (error) {
      failure = failureOf(error);
    }
    const found = readPlayerData || failure ? await find(id) : undefined;
    told({
      span: SPANS.gameliftAccept,
      start,
      parent: context,
      attributes: { [ATTRIBUTES.gameliftPlayer.key]: id },
      // An answer may have been cut off, and a player is accepted only once.
      failure: found?.Status === "ACTIVE" ? undefined : failure,
      ...(readPlayerData && { linked: { source: "player_data", carrier: carrierInPlayerData(found?.PlayerData) } }),
    });
  }

  async function find(id: string): Promise<PlayerSession | undefined> {
    try {
      return (await service.describePlayerSessions({ PlayerSessionId: id })).PlayerSessions[0];
    } catch {
      // Told as a fault already.
      return undefined;
    }
  }

  return {
    joined(player) {
      const id = playerSessionOf(player.client, player.options);
      if (typeof id !== "string" || id === "") {
        return;
      }
      const seat = taken.get(id) ?? { id, rooms: 0, accepted: accept(id, player) };
      seat.rooms += 1;
      taken.set(id, seat);
      seatOf.set(player, seat);
    },
    left(player) {
      const seat = seatOf.get(player);
      if (!seat) {
        return;
      }
      seat.rooms -= 1;
      if (seat.rooms === 0) {
        taken.delete(seat.id);
        const until = performance.now() + timings.playerSession;
        const remove = () => persist(() => service.removePlayerSession(seat.id), timings.retry, until);
        // After the accepting, however it came out. What fails was told as a fault already.
        seat.accepted.then(remove).catch(() => {});
      }
    },
  };
}

function failureOf(error: unknown): Failure {
  const refused = error instanceof GameLiftError && !isTransient(error);
  return {
    type: refused ? ERROR_TYPES.refused : ERROR_TYPES.unavailable,
    expected: refused,
    message: describe(error),
  };
}
