import type { Attributes, SpanContext } from "@opentelemetry/api";
import { ATTRIBUTES, SPANS, type AttributeConvention, type SpanConvention } from "../conventions.ts";
import type { SessionToken } from "../propagation/session-token.ts";
import { newStep, type SessionEnded, type Step, type StepFields } from "../telling/step.ts";
import { endType } from "./end-reason.ts";

/** Phases that a room, the game or the login service may name. */
export type GamePhase = (typeof GAME_PHASES)[number];
export const GAME_PHASES = ["matchmaking", "loading", "in_game"] as const;

export const PHASE_SPANS = {
  matchmaking: SPANS.phaseMatchmaking,
  loading: SPANS.phaseLoading,
  in_game: SPANS.phaseInGame,
  reconnecting: SPANS.phaseReconnecting,
} as const;

/** Events that a phase keeps: as many as the OpenTelemetry SDK does of a span. */
export const MAX_EVENTS = 128;

/** Who a session's player is, as far as the login said it. */
export type Player = Pick<SessionToken, "playerId" | "authMethod" | "clientVersion" | "platform">;

/** A session that began elsewhere: what its token says. */
export interface ClaimedSession {
  readonly token: SessionToken;
  /** `session.started` of whoever began it, where its context came along. */
  readonly root: SpanContext | undefined;
  /** The token is signed: it was not made up by the player. */
  readonly signed?: boolean;
}

/** What every span of a session says of it. */
export interface SessionFacts {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** session.started: ended at once, parent of all that follows. */
  readonly root: SpanContext | undefined;
  readonly player: Player | undefined;
  /** Language of its first request here. */
  readonly locale: string | undefined;
}

/** How a session left a room, or the service. */
export interface Leave {
  readonly reason: string;
  readonly phase: string | undefined;
  readonly code: number | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface Whole {
  /** Undefined where nobody knows. */
  readonly matches: number | undefined;
  /** Which server tells its part, where each tells its own. */
  readonly leg?: number | undefined;
  /** The root of its first trace, where there are several. */
  readonly first?: SpanContext | undefined;
}

/** The session's light root. `parent` is what the session hangs from. */
export function startedStep(
  session: Omit<SessionFacts, "root">,
  parent: SpanContext | undefined,
  next?: { readonly segment: number; readonly before: SpanContext | undefined },
): Step {
  const attributes = wholeOf(session);
  put(attributes, ATTRIBUTES.segmentIndex, next?.segment);
  const links = next?.before ? [{ context: next.before }] : [];
  return newStep(SPANS.sessionStarted, { start: session.startedAt, parent, links, attributes });
}

/** A phase from `start` on. The attributes become the step's. */
export function phaseStep(span: SpanConvention, session: SessionFacts, phase: PhaseFields): Step {
  addFacts(phase.attributes, session);
  return newStep(span, phase, session.root);
}

export type PhaseFields = Pick<StepFields, "start" | "events" | "links"> & { readonly attributes: Attributes };

/** The whole session, with its summary, as it left its last room. */
export function lifecycleStep(
  session: SessionFacts,
  { reason, phase, code, at }: Leave,
  { matches, leg, first }: Whole,
): Step {
  const attributes = wholeOf(session);
  put(attributes, ATTRIBUTES.sessionDuration, Math.max(0, at - session.startedAt) / 1000);
  put(attributes, ATTRIBUTES.sessionMatches, matches);
  put(attributes, ATTRIBUTES.endReason, reason);
  put(attributes, ATTRIBUTES.endType, endType(reason));
  put(attributes, ATTRIBUTES.endPhase, phase);
  put(attributes, ATTRIBUTES.closeCode, code);
  put(attributes, ATTRIBUTES.sessionLeg, leg);
  return newStep(SPANS.sessionLifecycle, {
    start: session.startedAt,
    parent: session.root,
    links: first ? [{ context: first }] : [],
    attributes,
  });
}

/** The end of the session as metrics count it. */
export function endedNote(
  { player, startedAt, locale }: Omit<SessionFacts, "root">,
  { reason, at }: Leave,
  matches: number | undefined,
  vouched: boolean,
): SessionEnded {
  return {
    note: "session.ended",
    seconds: Math.max(0, at - startedAt) / 1000,
    matches,
    reason,
    type: endType(reason),
    locale,
    platform: player?.platform,
    version: vouched ? player?.clientVersion : undefined,
  };
}

/** `phase.ended_by` of a phase that the end of the stay has cut short. */
export function endedBy(reason: string): "leave" | "disconnect" {
  return endType(reason) === "graceful" ? "leave" : "disconnect";
}

function addFacts(facts: Attributes, { id, player }: Omit<SessionFacts, "root">): Attributes {
  facts[ATTRIBUTES.sessionId.key] = id;
  if (player) {
    put(facts, ATTRIBUTES.playerId, player.playerId);
    put(facts, ATTRIBUTES.clientVersion, player.clientVersion);
    put(facts, ATTRIBUTES.clientPlatform, player.platform);
  }
  return facts;
}

function wholeOf(session: Omit<SessionFacts, "root">): Attributes {
  const facts = addFacts({}, session);
  put(facts, ATTRIBUTES.authMethod, session.player?.authMethod);
  put(facts, ATTRIBUTES.clientLocale, session.locale);
  put(facts, ATTRIBUTES.sessionStart, session.startedAt / 1000);
  return facts;
}

function put(attributes: Attributes, { key }: AttributeConvention, value: string | number | undefined): void {
  if (value !== undefined) {
    attributes[key] = value;
  }
}
