import { createContextKey, type Context, type SpanContext } from "@opentelemetry/api";
import { QueueRoom, type Client, type Room } from "@colyseus/core";
import type { MetricConvention } from "../conventions.ts";
import type { Undo } from "../internal/patch.ts";
import { withValue } from "../internal/linked-context.ts";
import type { Trust } from "../propagation/trust.ts";
import type { EndReasonOf } from "../sessions/end-reason.ts";
import type { PhaseName } from "../sessions/phases.ts";
import type { Registry } from "../sessions/registry.ts";
import type { Sessions } from "../sessions/session.ts";
import type { ClaimedSession } from "../sessions/steps.ts";
import type { WaitingSeats } from "../sessions/waiting-seats.ts";
import type { Distributions, Reading, Tally } from "../telling/tally.ts";

/** What is known and counted about rooms and their players. */
export interface RoomsState extends Sessions {
  readonly trust: Trust;
  readonly registry: Registry;
  readonly waiting: WaitingSeats;
  readonly drain: Drain;
  /** The game's own names for close codes. */
  readonly endReasonOf: EndReasonOf | undefined;
  readonly rooms: Tally;
  readonly clients: Tally;
  readonly ticks: Distributions;
  readonly patches: Distributions;
  /** Absent when messages are not counted. */
  readonly traffic: Traffic | undefined;
  /** A join was confirmed. */
  playerJoined(): void;
}

/** What every hook of a room writes to. */
export interface RoomsObserver extends RoomsState {
  /**
   * Wraps room classes and listens to handlers that were defined since the last look. Looks through nothing when the
   * room type that was `asked` for is known.
   */
  meetNewRooms(asked?: unknown): void;
}

/** What is known about the shutdown. */
export interface Drain {
  /** An error that nobody caught has begun it. */
  readonly crashed: boolean;
}

/** What went one way, in rooms of one type. */
export interface Flow {
  messages: number;
  bytes: number;
}

/** Counts of messages by room type. */
export interface Traffic {
  of(room: string): { readonly received: Flow; readonly sent: Flow };
  /** What is sent to this client counts for this room from now on. */
  meet(room: Room, client: Client): void;
  readonly readings: readonly (readonly [MetricConvention, Reading])[];
  /** Puts back the very same functions of the clients' classes. */
  readonly undo: Undo;
}

/** Why a request got no seat, where core's own answer does not say so. */
export type Refusal = "room_full" | "auth_failed" | "refused" | "ipc_timeout";

/** One matchmaking request on its way through auth, create and reserve. Travels in the context, never in options. */
export interface Journey {
  /** Room type that was asked for, where it is defined. */
  readonly room: string | undefined;
  /** The player's own context, where it was continued. */
  readonly player: SpanContext | undefined;
  /** What the player's token says, where it was believed. */
  readonly claimed: ClaimedSession | undefined;
  /** Why there is no seat, as far as a hook or the room has said so. The last try counts. */
  refusal: Refusal | undefined;
  /** The player's session was in another room before. */
  readonly moved: boolean;
  /** A static onAuth is running: one that calls super.onAuth() is still one auth. */
  authenticating: boolean;
  /** Answered. What a room's timers do later in the request's context is not this player's way any more. */
  over: boolean;
}

const JOURNEY = createContextKey("colyseus-otel.journey");

export function withJourney(context: Context, journey: Journey): Context {
  return withValue(context, JOURNEY, journey);
}

/** The request that is on its way in this context. */
export function journeyOf(context: Context): Journey | undefined {
  const journey = context.getValue(JOURNEY) as Journey | undefined;
  return journey?.over ? undefined : journey;
}

/** Type of a room: the name under which it was defined. */
export function typeOf(room: Room): string {
  return room.roomName;
}

/** A stay in a QueueRoom is matchmaking, any other is a match. */
export function isQueue(room: Room): boolean {
  return room instanceof QueueRoom;
}

export function phaseOf(room: Room): PhaseName {
  return isQueue(room) ? "matchmaking" : "in_game";
}
