import { context, trace } from "@opentelemetry/api";
import type { Room } from "@colyseus/core";
import { around } from "../internal/around.ts";
import { now } from "../internal/clock.ts";
import type { Method } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import type { Seat } from "../sessions/registry.ts";
import { knownSession, leaveSession, type Session } from "../sessions/session.ts";
import { holdSeat } from "./drop.ts";
import { journeyOf, queuedIn, type Journey } from "./journey.ts";
import { typeOf, type RoomsObserver, type RoomsState } from "./observer.ts";

/** `Room._reserveSeat`: the seat keeps where it came from until the socket claims it. */
export function traceReserve(observer: RoomsObserver): (original: Method) => Method {
  return (original) =>
    function _reserveSeat(this: Room, ...args: unknown[]) {
      if (!observer.teller.active) {
        return original.apply(this, args);
      }
      const [sessionId, , , seconds = this.seatReservationTimeout, held] = args as [string, ...unknown[]];
      if (held === true) {
        guard("reserve", holdSeat, observer, this, sessionId, Number(seconds));
        return original.apply(this, args);
      }
      const journey = journeyOf(context.active());
      const seat = guard("reserve", keepSeat, observer, this, sessionId, Number(seconds), journey);
      return around(
        () => original.apply(this, args),
        (ok, reserved) => {
          if (seat && (!ok || reserved === false)) {
            guard("reserve", refuseSeat, observer, seat, journey, ok);
          }
        },
      );
    };
}

function keepSeat(
  observer: RoomsObserver,
  room: Room,
  id: string,
  seconds: number,
  journey: Journey | undefined,
): Seat {
  const { registry, waiting } = observer;
  const at = now();
  const claimed = journey?.claimed;
  // A queue makes its match room by a timer, under no request: its players are known by Colyseus' sessionId.
  const queued = journey ? undefined : registry.queued.get(id)?.session;
  if (queued) {
    queued.stays += 1;
  }
  const session = queued ?? (claimed && knownSession(observer, claimed.token));
  const root = queued?.root ?? queuedIn(context.active())?.get(id);
  const seat: Seat = {
    room,
    id,
    reservedAt: at,
    // A NaN is no time, as for core's own timer.
    expiresAt: at + (seconds * 1000 || 0),
    parent: root ?? trace.getSpanContext(context.active()),
    player: journey?.player ?? root,
    claimed,
    locale: journey?.locale,
    session,
    moved: root !== undefined || (session ? wasElsewhere(session) : journey?.moved === true),
  };
  registry.of(room).seats.set(id, seat);
  waiting.add(seat);
  return seat;
}

/** In another room, now or before: this seat is one of its stays. */
function wasElsewhere({ stays, left }: Session): boolean {
  return stays > 1 || left !== undefined;
}

/** The room is full, or its reserveSeat failed. */
function refuseSeat(observer: RoomsObserver, seat: Seat, journey: Journey | undefined, full: boolean): void {
  dropSeat(observer, seat);
  if (journey) {
    journey.refusal = full ? "room_full" : undefined;
  } else {
    // Server code asked, and no request will tell.
    observer.teller.note({ note: "seat", room: typeOf(seat.room), outcome: full ? "refused_full" : "error" });
  }
}

/** Nobody has claimed the seat in its time, or before its room ended. */
export function expireSeat(observer: RoomsState, seat: Seat): void {
  dropSeat(observer, seat);
  observer.teller.note({ note: "seat", room: typeOf(seat.room), outcome: "expired" });
}

function dropSeat(observer: RoomsState, seat: Seat): void {
  takeSeat(observer, seat);
  if (seat.session) {
    leaveSession(observer, seat.session);
  }
}

/** The seat waits no more. */
export function takeSeat({ registry, waiting }: RoomsState, seat: Seat): void {
  const { seats } = registry.of(seat.room);
  if (seats.get(seat.id) === seat) {
    seats.delete(seat.id);
  }
  waiting.delete(seat);
}
