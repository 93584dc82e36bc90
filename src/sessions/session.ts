import type { SpanContext } from "@opentelemetry/api";
import { ATTRIBUTES, SPANS } from "../conventions.ts";
import type { SessionEnd } from "../propagation/session-token.ts";
import type { Teller } from "../telling/step.ts";
import type { Tally } from "../telling/tally.ts";
import { endedBy, lifecycleStep, phaseStep, startedStep, type ClaimedSession, type SessionFacts } from "./steps.ts";

export type PhaseName = "matchmaking" | "in_game";

/** One player's session. Light: ten thousand of them are open on a busy server. */
export interface Session extends SessionFacts {
  /** Who tells `session.lifecycle`. */
  readonly end: SessionEnd;
  phase: { readonly name: PhaseName; readonly since: number } | undefined;
  matches: number;
  ended: boolean;
}

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

/** The player is in: a stay in a QueueRoom is matchmaking, any other is a match. `since` is epoch milliseconds. */
export function enterPhase({ openByPhase }: Sessions, session: Session, name: PhaseName, since: number): void {
  session.phase = { name, since };
  session.matches += name === "in_game" ? 1 : 0;
  openByPhase.add(name, 1);
}

/** Ends a session once: its open phase, then the summary. `at` is epoch milliseconds. */
export function endSession(
  sessions: Sessions,
  session: Session,
  reason: string,
  code: number | undefined,
  at: number,
): void {
  if (session.ended) {
    return;
  }
  session.ended = true;
  endPhase(sessions, session, reason, at);
  // Never two ends: the service that began the session tells this one.
  if (session.end === "server") {
    const { matches, phase } = session;
    sessions.teller.close(lifecycleStep(session, { reason, matches, phase: phase?.name, code, at }), at);
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
  return { ...facts, end, matches, phase: undefined, ended: false };
}

function endPhase({ teller, openByPhase }: Sessions, session: Session, reason: string, at: number): void {
  const { phase } = session;
  if (!phase) {
    return;
  }
  openByPhase.add(phase.name, -1);
  const span = phase.name === "matchmaking" ? SPANS.phaseMatchmaking : SPANS.phaseInGame;
  const step = phaseStep(span, session, phase.since, { [ATTRIBUTES.phaseEndedBy.key]: endedBy(reason) });
  teller.close(step, at);
}
