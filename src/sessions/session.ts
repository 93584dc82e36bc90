import type { SpanContext } from "@opentelemetry/api";
import type { SessionEnd } from "../propagation/session-token.ts";
import type { Teller } from "../telling/step.ts";
import type { Tally } from "../telling/tally.ts";
import type { Lasting, Linger } from "./linger.ts";
import { lifecycleStep, startedStep, type ClaimedSession, type SessionFacts, type SessionSummary } from "./steps.ts";

/** One player's session. Light: ten thousand of them are open on a busy server. */
export interface Session extends SessionFacts, Lasting {
  /** Who tells `session.lifecycle`. */
  readonly end: SessionEnd;
  /** Which of the servers that its token has been to this one is, from 1. */
  readonly leg: number;
  matches: number;
  /** Rooms that it is in, and seats to which it moves. */
  stays: number;
  /** Its token is out: it may go on elsewhere, or come back. */
  portable: boolean;
  /** The game's own word for its end: it counts more than any close code. */
  reason: string | undefined;
  left: Leave | undefined;
  ended: boolean;
}

/** How a session left a room. */
export type Leave = Omit<SessionSummary, "matches" | "leg">;

export interface Sessions {
  readonly teller: Teller;
  readonly openByPhase: Tally;
  readonly linger: Linger<Session>;
  /** Colyseus' id of this process. */
  serverId(): string;
}

/** Begins a session with its light root, which ends at once. */
export function startSession(sessions: Sessions, id: string, at: number, parent: SpanContext | undefined): Session {
  const facts = { id, startedAt: at, player: undefined };
  return newSession({ ...facts, root: tellStarted(sessions, facts, parent) }, "server", 1, 0);
}

/**
 * Goes on with the session that a token names: one of this process, or one that began elsewhere. Its root was told there;
 * where no context of it came along, because that service has no SDK, it is told here, or the session's spans would hang
 * from nothing.
 */
export function continueSession(
  sessions: Sessions,
  { token, root }: ClaimedSession,
  at: number,
  parent: SpanContext | undefined,
): Session {
  const known = knownSession(sessions, token.id);
  if (known) {
    return known;
  }
  // The other machine's clock may be a little ahead of ours.
  const facts = { id: token.id, startedAt: Math.min(token.start, at), player: token };
  const rooted = { ...facts, root: root ?? tellStarted(sessions, facts, parent) };
  const session = newSession(rooted, token.end, token.leg + 1, token.matches);
  sessions.linger.begin(session);
  return session;
}

/** The session of this process that has this id, with one stay more. */
export function knownSession({ linger }: Sessions, id: string): Session | undefined {
  const session = linger.known.get(id);
  if (session) {
    session.stays += 1;
    linger.goOn(session);
  }
  return session;
}

/** A confirmed join of a room that is no QueueRoom. */
export function countMatch({ linger }: Sessions, session: Session): void {
  session.matches += 1;
  if (session.portable) {
    linger.count(session);
  }
}

/**
 * The session is out of one room, or has lost the seat to which it moved: then without a `leave`. With the last of its
 * stays it ends, once, as it last left a room; one whose token is out may come back for a while.
 */
export function leaveSession(sessions: Sessions, session: Session, leave?: Leave): void {
  session.stays -= 1;
  session.left = leave ?? session.left;
  if (session.stays > 0 || session.ended || !session.left) {
    return;
  }
  if (session.portable) {
    sessions.linger.wait(session);
  } else {
    session.ended = true;
    tellEnd(sessions, session, {});
  }
}

/** Tells the summary; unless the service that began the session does: never two ends. */
export function tellEnd(
  { teller }: Pick<Sessions, "teller">,
  session: Session,
  { matches = session.matches, leg }: { readonly matches?: number; readonly leg?: number },
): void {
  const { left, end } = session;
  if (end === "server" && left) {
    teller.close(lifecycleStep(session, { ...left, matches, leg }), left.at);
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

function newSession(facts: SessionFacts, end: SessionEnd, leg: number, matches: number): Session {
  return {
    ...facts,
    end,
    leg,
    matches,
    stays: 1,
    portable: false,
    reason: undefined,
    left: undefined,
    ended: false,
  };
}
