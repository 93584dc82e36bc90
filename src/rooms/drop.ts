import type { Room } from "@colyseus/core";
import { SPANS } from "../conventions.ts";
import { now } from "../internal/clock.ts";
import { changePhase } from "../sessions/phases.ts";
import type { Connection, Disconnect } from "../sessions/registry.ts";
import type { RoomHook } from "./hook.ts";
import { typeOf, type RoomsObserver } from "./observer.ts";
import { openStayPart } from "./stay-part.ts";

/** onDrop: the connection is gone, and the game may hold the seat. */
export const dropHook: RoomHook = {
  key: "onDrop",
  subject: "client",
  open({ registry }, room, sessionId) {
    return openStayPart(SPANS.roomOnDrop, room, sessionId, registry.of(room).connections.get(sessionId));
  },
};

/** allowReconnection(): the player may come back to this seat, and has no new one. Often said in onDrop, or before it. */
export function holdSeat(observer: RoomsObserver, room: Room, sessionId: string, seconds: number): void {
  const connection = observer.registry.of(room).connections.get(sessionId);
  if (!connection) {
    return;
  }
  const held = connection.heldUntil !== undefined;
  connection.heldUntil = now() + seconds * 1000;
  if (connection.left && !held) {
    beginReconnecting(observer, room, connection, connection.left);
  }
}

/** From the disconnect on the session waits for its player. */
export function beginReconnecting(
  observer: RoomsObserver,
  room: Room,
  connection: Connection,
  { at }: Disconnect,
): void {
  observer.teller.note({ note: "drop", room: typeOf(room), outcome: "held" });
  // The deadline of a shutdown may have ended the session.
  if (connection.phase) {
    changePhase(observer, connection, "reconnecting", { at, endedBy: "drop" });
  }
}
