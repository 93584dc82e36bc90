import { ATTRIBUTES, SPANS } from "../conventions.ts";
import type { Session, Sessions } from "./session.ts";
import { phaseStep } from "./steps.ts";

export type PhaseName = "matchmaking" | "in_game" | "reconnecting";

/** Why a phase was over: the attribute `phase.ended_by`. */
export type PhaseEnd = "leave" | "disconnect" | "drop" | "return";

/** What a session does in one room: one phase after the other. */
export interface Stay {
  readonly session: Session;
  /** Undefined until the join is confirmed. `since` is epoch milliseconds. */
  phase: { readonly name: PhaseName; readonly since: number } | undefined;
}

const SPAN_OF = {
  matchmaking: SPANS.phaseMatchmaking,
  in_game: SPANS.phaseInGame,
  reconnecting: SPANS.phaseReconnecting,
} as const;

export function enterPhase({ openByPhase }: Sessions, stay: Stay, name: PhaseName, since: number): void {
  stay.phase = { name, since };
  openByPhase.add(name, 1);
}

/** Ends the stay's phase, where it has one. `at` is epoch milliseconds. */
export function leavePhase({ teller, openByPhase }: Sessions, stay: Stay, endedBy: PhaseEnd, at: number): void {
  const { phase, session } = stay;
  if (!phase) {
    return;
  }
  stay.phase = undefined;
  openByPhase.add(phase.name, -1);
  const attributes = { [ATTRIBUTES.phaseEndedBy.key]: endedBy };
  teller.close(phaseStep(SPAN_OF[phase.name], session, phase.since, attributes), at);
}
