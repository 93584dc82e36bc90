import { createContextKey, type Context, type SpanContext } from "@opentelemetry/api";
import { withValue } from "../internal/linked-context.ts";
import type { ClaimedSession } from "../sessions/steps.ts";

/** Why a request got no seat, where core's own answer does not say so. */
export type Refusal = (typeof REFUSALS)[number];

export const REFUSALS = ["room_full", "auth_failed", "refused", "ipc_timeout"] as const;

/** One matchmaking request on its way through auth, create and reserve. Travels in the context, never in options. */
export interface Journey {
  /** Room type that was asked for, where it is defined. Known later where it was asked by the id of another process's room. */
  room: string | undefined;
  /** That room's listing says that it is full. */
  full: boolean;
  /** The player's own context, where it was continued. */
  readonly player: SpanContext | undefined;
  /** What the player's token says, where it was believed. */
  readonly claimed: ClaimedSession | undefined;
  /** The player's session was in another room before: its token comes from a game server, or counts matches. */
  readonly moved: boolean;
  /** Language that the request asks for. */
  readonly locale: string | undefined;
  /** The channel of its answer, where another process asks. */
  readonly answer: string | undefined;
  /** Why there is no seat, as far as a hook or the room has said so. The last try counts. */
  refusal: Refusal | undefined;
  /** A static onAuth is running: one that calls super.onAuth() is still one auth. */
  authenticating: boolean;
  /** Answered. What a room's timers do later in the request's context is not this player's way any more. */
  over: boolean;
}

export function newJourney(
  room: string | undefined,
  player: SpanContext | undefined,
  claimed: ClaimedSession | undefined,
  locale: string | undefined,
  answer?: string,
): Journey {
  const moved = claimed !== undefined && (claimed.token.leg > 0 || claimed.token.matches > 0);
  return {
    room,
    full: false,
    player,
    claimed,
    moved,
    locale,
    answer,
    refusal: undefined,
    authenticating: false,
    over: false,
  };
}

const JOURNEY = createContextKey("colyseus-otel.journey");
const QUEUED = createContextKey("colyseus-otel.queued");

export function withJourney(context: Context, journey: Journey): Context {
  return withValue(context, JOURNEY, journey);
}

/** The request that is on its way in this context. */
export function journeyOf(context: Context): Journey | undefined {
  const journey = context.getValue(JOURNEY) as Journey | undefined;
  return journey?.over ? undefined : journey;
}

/** Sessions that a queue of another process sends here, by Colyseus' sessionId: what they hang from. */
export type Queued = ReadonlyMap<string, SpanContext>;

export function withQueued(context: Context, queued: Queued): Context {
  return withValue(context, QUEUED, queued);
}

export function queuedIn(context: Context): Queued | undefined {
  return context.getValue(QUEUED) as Queued | undefined;
}
