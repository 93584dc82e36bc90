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

/** Ties GameLift's player sessions to joins and leaves. Nobody waits for it: what fails is told, and the player plays on. */
export function createPlayerSessions(
  { service, playerSessionOf, readPlayerData, told }: Deps,
  timings: Timings,
): PlayerSeats {
  // What GameLift was told of last: a player is removed when the accepting is over, however it came out.
  const accepting = new Map<SeatedPlayer, { readonly id: string; readonly done: Promise<unknown> }>();

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
      if (typeof id === "string" && id !== "") {
        accepting.set(player, { id, done: accept(id, player) });
      }
    },
    left(player) {
      const accepted = accepting.get(player);
      accepting.delete(player);
      const until = performance.now() + timings.playerSession;
      accepted?.done
        .then(() => persist(() => service.removePlayerSession(accepted.id), timings.retry, until))
        // Told as a fault already.
        .catch(() => {});
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
