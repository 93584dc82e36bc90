import { context, trace } from "@opentelemetry/api";
import type { Room } from "@colyseus/core";
import { around } from "../internal/around.ts";
import { now } from "../internal/clock.ts";
import type { Method } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import type { RoomState } from "../sessions/registry.ts";
import { journeyOf, type RoomsObserver } from "./observer.ts";

/** `Room._reserveSeat`: the seat keeps where it came from until the socket claims it. */
export function traceReserve(observer: RoomsObserver): (original: Method) => Method {
  return (original) =>
    function _reserveSeat(this: Room, ...args: unknown[]) {
      if (!observer.teller.active) {
        return original.apply(this, args);
      }
      const sessionId = args[0] as string;
      const held = args[4] === true;
      const journey = journeyOf(context.active());
      guard("reserve", () => keepSeat(observer.registry.of(this), this, sessionId, held, journey?.player));
      return around(
        () => original.apply(this, args),
        (ok, reserved) => {
          if ((!ok || reserved === false) && !held) {
            observer.registry.of(this).seats.delete(sessionId);
            if (journey && ok) {
              journey.refusal = "room_full";
            }
          } else if (journey) {
            journey.refusal = undefined;
          }
        },
      );
    };
}

type Player = NonNullable<ReturnType<typeof journeyOf>>["player"];

function keepSeat(state: RoomState, room: Room, sessionId: string, held: boolean, player: Player): void {
  if (held) {
    const connection = state.connections.get(sessionId);
    if (connection) {
      connection.held = true;
    }
    return;
  }
  forgetExpired(state, room);
  state.seats.set(sessionId, { reservedAt: now(), parent: trace.getSpanContext(context.active()), player });
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
