import { QueueRoom, type Client, type Room } from "@colyseus/core";
import type { MetricConvention } from "../conventions.ts";
import type { Undo } from "../internal/patch.ts";
import type { PlayerSeats } from "../internal/player-seats.ts";
import type { Gate } from "../propagation/gate.ts";
import type { EndReasonOf } from "../sessions/end-reason.ts";
import type { GamePhase } from "../sessions/steps.ts";
import type { Registry } from "../sessions/registry.ts";
import type { Sessions } from "../sessions/session.ts";
import type { WaitingSeats } from "../sessions/waiting-seats.ts";
import type { Distributions, Reading, Tally } from "../telling/tally.ts";

/** What is known and counted about rooms and their players. */
export interface RoomsState extends Sessions {
  readonly gate: Gate;
  readonly registry: Registry;
  readonly waiting: WaitingSeats;
  readonly drain: Drain;
  /** What a stay in the room is, where the game says so; else matchmaking in a QueueRoom, in_game in any other. */
  homeOf(room: Room): GamePhase;
  /** The game's own names for close codes. */
  readonly endReasonOf: EndReasonOf | undefined;
  readonly rooms: Tally;
  readonly clients: Tally;
  readonly ticks: Distributions;
  readonly patches: Distributions;
  /** Absent when messages are not counted. */
  readonly traffic: Traffic | undefined;
  /** The orchestrator's own, where it has any. */
  readonly seats: PlayerSeats | undefined;
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

/** Type of a room: the name under which it was defined. */
export function typeOf(room: Room): string {
  return room.roomName;
}

/** A stay in a QueueRoom is matchmaking. */
export function isQueue(room: Room): boolean {
  return room instanceof QueueRoom;
}
