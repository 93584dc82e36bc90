import type { SpanContext } from "@opentelemetry/api";
import type { SessionEnd, SessionToken } from "../propagation/session-token.ts";
import type { Teller } from "../telling/step.ts";
import type { Tally } from "../telling/tally.ts";
import type { Lasting, Linger } from "./linger.ts";
import { endedNote, lifecycleStep, startedStep, type ClaimedSession, type SessionFacts, type Leave } from "./steps.ts";

/** One player's session. Light: ten thousand of them are open on a busy server. */
export interface Session extends Omit<SessionFacts, "root">, Lasting {
  /** session.started: ended at once, parent of all that follows. Of the trace that goes on now, where there are several. */
  root: SpanContext | undefined;
  /** The first one's root, and how many traces there were, where there are several. */
  traces: { readonly first: SpanContext | undefined; readonly count: number } | undefined;
  /** What the token says of its player is believed: it is signed. */
  readonly vouched: boolean;
  left: Leave | undefined;
}

export interface Sessions {
  readonly teller: Teller;
  readonly openByPhase: Tally;
  readonly linger: Linger<Session>;
  /** Each match and each segment is a trace of its own. */
  readonly linked: boolean;
  /** Colyseus' id of this process. */
  serverId(): string;
}

/** How a session comes to this process. */
interface Beginning {
  /** Epoch milliseconds. */
  readonly at: number;
  /** What its root hangs from, where that is told here. */
  readonly parent: SpanContext | undefined;
  readonly locale: string | undefined;
}

/** Begins a session with its light root, which ends at once. */
export function startSession(sessions: Sessions, id: string, { at, parent, locale }: Beginning): Session {
  const facts = { id, startedAt: at, player: undefined, locale };
  return newSession({ ...facts, root: tellStarted(sessions, facts, parent) }, "server", false, 1, 0);
}

/**
 * Goes on with the session that a token names: one of this process, or one that began elsewhere. Its root was told there;
 * where no context of it came along, because that service has no SDK, it is told here, or the session's spans would hang
 * from nothing.
 */
export function continueSession(
  sessions: Sessions,
  { token, root, signed = false }: ClaimedSession,
  { at, parent, locale }: Beginning,
): Session {
  const known = knownSession(sessions, token);
  if (known) {
    return known;
  }
  // The other machine's clock may be a little ahead of ours.
  const facts = { id: token.id, startedAt: Math.min(token.start, at), player: token, locale };
  const rooted = { ...facts, root: root ?? tellStarted(sessions, facts, parent) };
  const session = newSession(rooted, token.end, signed, token.leg + 1, token.matches);
  sessions.linger.begin(session);
  return session;
}

/** The session of this process that the token names, with one stay more. */
export function knownSession({ linger }: Sessions, token: SessionToken): Session | undefined {
  const session = linger.known.get(token.id);
  if (session) {
    session.stays += 1;
    // A server that shares no presence with this one may have counted more.
    session.matches = Math.max(session.matches, token.matches);
    linger.goOn(session);
  }
  return session;
}

/** A confirmed join of a match's room. `at` is epoch milliseconds. */
export function beginMatch(sessions: Sessions, session: Session, at: number): void {
  session.matches += 1;
  if (session.portable) {
    sessions.linger.count(session);
  }
  if (sessions.linked) {
    beginTrace(sessions, session, at);
  }
}

/** What follows is a trace of its own, linked to the one before: a sampler decides anew, and no trace is open for hours. */
export function beginTrace({ teller }: Sessions, session: Session, at: number): void {
  const { root, traces } = session;
  const count = (traces?.count ?? 1) + 1;
  const started = startedStep({ ...session, startedAt: at }, undefined, { segment: count, before: root });
  teller.close(started, at);
  session.root = started.spanContext;
  session.traces = { first: traces?.first ?? root, count };
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
  const { left, end, traces } = session;
  if (end === "server" && left) {
    teller.note(endedNote(session, left, matches, session.vouched));
    teller.close(lifecycleStep(session, left, { matches, leg, first: traces?.first }), left.at);
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

function newSession(facts: SessionFacts, end: SessionEnd, vouched: boolean, leg: number, matches: number): Session {
  return {
    ...facts,
    vouched,
    traces: undefined,
    end,
    leg,
    matches,
    stays: 1,
    portable: false,
    left: undefined,
    ended: false,
  };
}
