import { context, trace } from "@opentelemetry/api";
import type { Room } from "@colyseus/core";
import { around } from "../internal/around.ts";
import { now } from "../internal/clock.ts";
import type { Method } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import type { RoomState } from "../sessions/registry.ts";
import { journeyOf, type Journey, type RoomsObserver } from "./observer.ts";

/** `Room._reserveSeat`: the seat keeps where it came from until the socket claims it. */
export function traceReserve(observer: RoomsObserver): (original: Method) => Method {
  return (original) =>
    function _reserveSeat(this: Room, ...args: unknown[]) {
      if (!observer.teller.active) {
        return original.apply(this, args);
      }
      const sessionId = args[0] as string;
      const seconds = args[3] as number;
      const held = args[4] === true;
      const journey = journeyOf(context.active());
      guard("reserve", () => {
        const state = observer.registry.of(this);
        if (held) {
          holdSeat(state, sessionId, seconds);
        } else {
          keepSeat(state, this, sessionId, journey);
        }
      });
      return around(
        () => original.apply(this, args),
        (ok, reserved) => {
          if (held || (ok && reserved !== false)) {
            return;
          }
          observer.registry.of(this).seats.delete(sessionId);
          if (journey && ok) {
            journey.refusal = "room_full";
          }
        },
      );
    };
}

/** allowReconnection(): the player may come back to this seat, and has no new one. */
function holdSeat({ connections }: RoomState, sessionId: string, seconds: number): void {
  const connection = connections.get(sessionId);
  if (connection) {
    connection.heldUntil = now() + seconds * 1000;
  }
}

function keepSeat(state: RoomState, room: Room, sessionId: string, journey: Journey | undefined): void {
  forgetExpired(state, room);
  state.seats.set(sessionId, {
    reservedAt: now(),
    parent: trace.getSpanContext(context.active()),
    player: journey?.player,
    claimed: journey?.claimed,
  });
}

/** Colyseus lets a seat that nobody claims expire silently, so the oldest are looked through at each new one. */
function forgetExpired({ seats }: RoomState, room: Room): void {
  const reserved = (room as unknown as { _reservedSeats: Record<string, unknown> })._reservedSeats;
  for (const sessionId of seats.keys()) {
    if (reserved[sessionId] !== undefined) {
      return;
    }
    seats.delete(sessionId);
  }
}
