import type { SpanContext } from "@opentelemetry/api";
import { ATTRIBUTES, SPANS } from "../conventions.ts";
import { newStep, type Teller } from "../telling/step.ts";
import type { Tally } from "../telling/tally.ts";
import { endType } from "./end-reason.ts";

export type PhaseName = "matchmaking" | "in_game";

/** One player's session. Light: ten thousand of them are open on a busy server. */
export interface Session {
  readonly id: string;
  readonly startedAt: number;
  /** session.started: ended at once, parent of all that follows. */
  readonly root: SpanContext | undefined;
  phase: { readonly name: PhaseName; readonly since: number } | undefined;
  matches: number;
  ended: boolean;
}

export interface Sessions {
  readonly teller: Teller;
  readonly openByPhase: Tally;
}

/** Begins a session with its light root, which ends at once. */
export function startSession({ teller }: Sessions, id: string, at: number, parent: SpanContext | undefined): Session {
  const started = newStep(SPANS.sessionStarted, { start: at, parent, attributes: { [ATTRIBUTES.sessionId.key]: id } });
  teller.open(started);
  teller.close(started, at);
  return { id, startedAt: at, root: started.spanContext, phase: undefined, matches: 0, ended: false };
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
  const type = endType(reason);
  endPhase(sessions, session, type, at);
  const lifecycle = newStep(SPANS.sessionLifecycle, {
    start: session.startedAt,
    parent: session.root,
    attributes: {
      [ATTRIBUTES.sessionId.key]: session.id,
      [ATTRIBUTES.sessionDuration.key]: Math.max(0, at - session.startedAt) / 1000,
      [ATTRIBUTES.sessionMatches.key]: session.matches,
      [ATTRIBUTES.endReason.key]: reason,
      [ATTRIBUTES.endType.key]: type,
      ...(session.phase && { [ATTRIBUTES.endPhase.key]: session.phase.name }),
      ...(code !== undefined && { [ATTRIBUTES.closeCode.key]: code }),
    },
  });
  sessions.teller.close(lifecycle, at);
}

function endPhase({ teller, openByPhase }: Sessions, session: Session, type: string, at: number): void {
  const { phase } = session;
  if (!phase) {
    return;
  }
  openByPhase.add(phase.name, -1);
  const step = newStep(phase.name === "matchmaking" ? SPANS.phaseMatchmaking : SPANS.phaseInGame, {
    start: phase.since,
    parent: session.root,
    attributes: {
      [ATTRIBUTES.sessionId.key]: session.id,
      [ATTRIBUTES.phaseEndedBy.key]: type === "graceful" ? "leave" : "disconnect",
    },
  });
  teller.close(step, at);
}
