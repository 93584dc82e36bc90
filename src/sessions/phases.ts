import type { Attributes, SpanContext } from "@opentelemetry/api";
import { ATTRIBUTES } from "../conventions.ts";
import type { Step, StepEvent } from "../telling/step.ts";
import type { Session, Sessions } from "./session.ts";
import { PHASE_SPANS, phaseStep, type GamePhase } from "./steps.ts";

export type PhaseName = GamePhase | "reconnecting";

/** Why a phase, or a segment of it, was over: the attribute `phase.ended_by`. */
export type PhaseEnd = "leave" | "disconnect" | "drop" | "return" | "phase" | "segment";

export interface Phase {
  readonly name: PhaseName;
  /** Epoch milliseconds. */
  readonly since: number;
  /** What the game says of it. */
  attributes: Attributes | undefined;
  events: StepEvent[] | undefined;
  /** What of it was told already, where it is long. */
  segments: Segments | undefined;
}

interface Segments {
  readonly count: number;
  /** Where the open one begins, in epoch milliseconds. */
  readonly since: number;
  /** The last one's, for the link. */
  readonly previous: SpanContext | undefined;
}

/** What a session does in one room: one phase after the other. */
export interface Stay {
  readonly session: Session;
  /** The phase that this room is, where the game says nothing else. */
  readonly home: GamePhase;
  /** Id of the room. */
  readonly room: string;
  /** What the game says is played here: on each in_game phase. */
  match: Attributes | undefined;
  /** Undefined until the join is confirmed, and when the stay is over. */
  phase: Phase | undefined;
}

export function enterPhase(
  { openByPhase }: Sessions,
  stay: Stay,
  name: PhaseName,
  since: number,
  attributes?: Attributes,
): Phase {
  openByPhase.add(name, 1);
  return (stay.phase = { name, since, attributes, events: undefined, segments: undefined });
}

/** Ends the stay's phase, where it has one. `at` is epoch milliseconds. */
export function leavePhase(sessions: Sessions, stay: Stay, endedBy: PhaseEnd, at: number): void {
  const { phase } = stay;
  if (!phase) {
    return;
  }
  stay.phase = undefined;
  sessions.openByPhase.add(phase.name, -1);
  const seconds = Math.max(0, at - phase.since) / 1000;
  sessions.teller.note({ note: "phase", phase: phase.name, seconds });
  const ending: Attributes = { [ATTRIBUTES.phaseEndedBy.key]: endedBy };
  if (phase.name === "matchmaking") {
    ending[ATTRIBUTES.waitSeconds.key] = seconds;
  }
  sessions.teller.close(stepOf(sessions, stay, phase, ending), at);
}

/** The next phase begins where this one ends. */
export function changePhase(
  sessions: Sessions,
  stay: Stay,
  name: PhaseName,
  { at, endedBy, attributes }: { readonly at: number; readonly endedBy: PhaseEnd; readonly attributes?: Attributes },
): Phase {
  leavePhase(sessions, stay, endedBy, at);
  return enterPhase(sessions, stay, name, at, attributes);
}

/** Tells what there is of a long phase, which goes on in a segment of its own. `at` is epoch milliseconds. */
export function cutPhase(sessions: Sessions, stay: Stay, phase: Phase, at: number): void {
  const count = phase.segments?.count ?? 0;
  const step = stepOf(sessions, stay, phase, { [ATTRIBUTES.phaseEndedBy.key]: "segment" }, count + 1);
  sessions.teller.close(step, at);
  phase.events = undefined;
  phase.segments = { count: count + 1, since: at, previous: step.spanContext };
}

function stepOf(
  { serverId }: Sessions,
  { session, room, match }: Stay,
  { name, since, attributes, events, segments }: Phase,
  ending: Attributes,
  segment: number | undefined = segments && segments.count + 1,
): Step {
  // The game's facts first: what is ours stays ours.
  const facts = match || attributes ? { ...(name === "in_game" && match), ...attributes, ...ending } : ending;
  if (name === "matchmaking") {
    facts[ATTRIBUTES.lobbyId.key] ??= room;
  } else if (name === "in_game") {
    facts[ATTRIBUTES.matchNumber.key] ??= session.matches;
    facts[ATTRIBUTES.serverId.key] = serverId();
  }
  if (segment !== undefined) {
    facts[ATTRIBUTES.segmentIndex.key] = segment;
  }
  return phaseStep(PHASE_SPANS[name], session, {
    start: segments?.since ?? since,
    attributes: facts,
    events,
    links: segments?.previous && [{ context: segments.previous }],
  });
}
