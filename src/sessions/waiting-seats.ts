import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import type { Room } from "@colyseus/core";
import { LONGEST_TIMER_MS } from "../internal/deadline.ts";
import { guard } from "../internal/report.ts";
import type { Seat } from "./registry.ts";

/** Looks no more often than this, however many seats there are. */
const PAUSE_MS = 50;

/**
 * Seats that nobody has claimed yet. Colyseus lets them expire silently, each by a timer of its own; here one timer looks
 * after all, and goes by what the room still holds.
 */
export interface WaitingSeats {
  add(seat: Seat): void;
  delete(seat: Seat): void;
  /** Forgets all, and gives them. */
  clear(): Seat[];
}

export function createWaitingSeats(now: () => number, onExpired: (seat: Seat) => void): WaitingSeats {
  const seats = new Set<Seat>();
  let timer: NodeJS.Timeout | undefined;
  let lookAt = Infinity;

  function lookBy(at: number): void {
    if (at >= lookAt) {
      return;
    }
    clearTimeout(timer);
    lookAt = at;
    // Timers keep the context they were made in: this one would keep a request's.
    timer = context.with(ROOT_CONTEXT, () => setTimeout(guard, pauseUntil(at), "seats", look).unref());
  }

  const pauseUntil = (at: number) => Math.min(Math.max(PAUSE_MS, at - now()), LONGEST_TIMER_MS);

  function look(): void {
    lookAt = Infinity;
    let next = Infinity;
    for (const seat of seats) {
      if (seat.expiresAt <= now() && !holds(seat)) {
        onExpired(seat);
      } else {
        next = Math.min(next, seat.expiresAt);
      }
    }
    lookBy(next);
  }

  return {
    add(seat) {
      seats.add(seat);
      lookBy(seat.expiresAt);
    },
    delete: (seat) => void seats.delete(seat),
    clear() {
      clearTimeout(timer);
      lookAt = Infinity;
      const all = [...seats];
      seats.clear();
      return all;
    },
  };
}

/** Colyseus' own timer may be a moment later than ours, and until then a socket is let in. */
function holds({ room, id }: Seat): boolean {
  return (room as Room & { _reservedSeats: Record<string, unknown> })["_reservedSeats"][id] !== undefined;
}
