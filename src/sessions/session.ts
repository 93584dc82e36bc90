import type { SpanContext } from "@opentelemetry/api";
import type { SessionEnd } from "../propagation/session-token.ts";
import type { Teller } from "../telling/step.ts";
import type { Tally } from "../telling/tally.ts";
import { lifecycleStep, startedStep, type ClaimedSession, type SessionFacts, type SessionSummary } from "./steps.ts";

/** One player's session. Light: ten thousand of them are open on a busy server. */
export interface Session extends SessionFacts {
  /** Who tells `session.lifecycle`. */
  readonly end: SessionEnd;
  matches: number;
  /** Rooms that it is in, and seats to which it moves. With the last of them it ends. */
  stays: number;
  /** The game's own word for its end: it counts more than any close code. */
  reason: string | undefined;
  left: Leave | undefined;
  ended: boolean;
}

/** How a session left a room. */
export type Leave = Omit<SessionSummary, "matches">;

export interface Sessions {
  readonly teller: Teller;
  readonly openByPhase: Tally;
}

/** Begins a session with its light root, which ends at once. */
export function startSession(sessions: Sessions, id: string, at: number, parent: SpanContext | undefined): Session {
  const facts = { id, startedAt: at, player: undefined };
  return newSession({ ...facts, root: tellStarted(sessions, facts, parent) }, "server", 0);
}

/**
 * Goes on with a session that began elsewhere. Its root was told there; where no context of it came along, because that
 * service has no SDK, it is told here, or the session's spans would hang from nothing.
 */
export function continueSession(
  sessions: Sessions,
  { token, root }: ClaimedSession,
  at: number,
  parent: SpanContext | undefined,
): Session {
  // The other machine's clock may be a little ahead of ours.
  const facts = { id: token.id, startedAt: Math.min(token.start, at), player: token };
  return newSession({ ...facts, root: root ?? tellStarted(sessions, facts, parent) }, token.end, token.matches);
}

/**
 * The session is out of one room, or has lost the seat to which it moved: then without a `leave`. It ends with the last,
 * once, as it last left a room.
 */
export function leaveSession({ teller }: Sessions, session: Session, leave?: Leave): void {
  session.stays -= 1;
  session.left = leave ?? session.left;
  if (session.stays > 0 || session.ended || !session.left) {
    return;
  }
  session.ended = true;
  // Never two ends: the service that began the session tells this one.
  if (session.end === "server") {
    const { matches, left } = session;
    teller.close(lifecycleStep(session, { ...left, matches }), left.at);
  }
}

function tellStarted(
  { teller }: Sessions,
  facts: Omit<SessionFacts, "root">,
  parent: SpanContext | undefined,
): SpanContext | undefined {
  const started = startedStep(facts, parent);
  teller.close(started, facts.startedAt);
  return started.spanContext;
}

function newSession(facts: SessionFacts, end: SessionEnd, matches: number): Session {
  return { ...facts, end, matches, stays: 1, reason: undefined, left: undefined, ended: false };
}
