import type { Client } from "@colyseus/core";
import type { SpanContext } from "@opentelemetry/api";

/** Told of every player, whether telemetry is on or not. Must not throw, nor take time: a join does not wait. */
export interface PlayerSeats {
  /** The join is confirmed. */
  joined(player: SeatedPlayer): void;
  /** The same object, once the seat is really given up: not while it is held for a return. */
  left(player: SeatedPlayer): void;
}

export interface SeatedPlayer {
  readonly client: Client;
  /** The join options, as the game sees them. */
  readonly options: unknown;
  /** Of room.join, where it is told. */
  readonly context: SpanContext | undefined;
}
