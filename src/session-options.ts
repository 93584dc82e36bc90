import type { Room } from "@colyseus/core";
import { checkDuration, checkFunction, checkKeys, checkOneOf } from "./internal/check.ts";
import { homes } from "./rooms/homes.ts";
import { ownReasons, type EndReasonOf } from "./sessions/end-reason.ts";
import type { GamePhase } from "./sessions/steps.ts";

/** How players' sessions are told. All optional. */
export interface SessionOptions {
  /**
   * The game's own names for close codes, as `session.end_reason`: `(code) => (code === 4321 ? "kicked" : undefined)`.
   * Undefined keeps ours. `"kicked"` and `"banned"` count as enforcement, `"logout"` as graceful; other words have no
   * type. Beyond a dozen different words the metric's label says `other`.
   */
  readonly endReasonOf?: EndReasonOf;
  /**
   * Milliseconds for which a session whose token is out waits for its player, after the last room: as long as a seat
   * lives. Its end is the leave's time all the same. 0 tells it at once.
   *
   * @default 15000
   */
  readonly linger?: number;
  /**
   * Milliseconds after which a phase is told so far and goes on in a segment of its own.
   *
   * @default 600000
   */
  readonly segment?: number;
  /**
   * `"one"`: the whole session is one trace. `"linked"`: each match and each segment is a trace of its own, linked to
   * the one before; for tail sampling, and for days with many matches.
   *
   * @default "one"
   */
  readonly traces?: "one" | "linked";
  /**
   * What a stay in the room is: `"matchmaking"` for lobbies, `"loading"`, or `"in_game"`, which alone counts as a match.
   * Undefined keeps ours.
   *
   * @default matchmaking in a QueueRoom, in_game in any other
   */
  readonly phaseOf?: (room: Room) => GamePhase | undefined;
}

export interface ResolvedSessionOptions {
  readonly endReasonOf: EndReasonOf | undefined;
  readonly linger: number;
  readonly segment: number;
  readonly linked: boolean;
  readonly homeOf: (room: Room) => GamePhase;
}

const KNOWN = ["endReasonOf", "linger", "segment", "traces", "phaseOf"] as const satisfies (keyof SessionOptions)[];

/** Throws TypeError for an unknown option, or a value of the wrong kind. */
export function resolveSession(session: SessionOptions): ResolvedSessionOptions {
  checkKeys("session", session, KNOWN);
  const { endReasonOf, linger = 15_000, segment = 600_000, traces = "one", phaseOf } = session;
  for (const [name, given] of Object.entries({ endReasonOf, phaseOf })) {
    if (given !== undefined) {
      checkFunction(`session.${name}`, given);
    }
  }
  return {
    homeOf: homes(phaseOf),
    endReasonOf: endReasonOf && ownReasons(endReasonOf),
    linger: linger === 0 ? 0 : checkDuration("session.linger", linger),
    segment: checkDuration("session.segment", segment),
    linked: checkOneOf("session.traces", traces, ["one", "linked"]) === "linked",
  };
}
