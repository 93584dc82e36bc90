import type { Room } from "@colyseus/core";
import { typeOf, type RoomsObserver } from "./observer.ts";

/** Joined, and connected: counted once, whether by the event `join` or by a return. */
export function playerConnected({ registry, clients }: RoomsObserver, room: Room, sessionId: string): void {
  const { players } = registry.of(room);
  if (!players.has(sessionId)) {
    players.add(sessionId);
    clients.add(typeOf(room), 1);
  }
}

/** Whether the player was counted. */
export function playerDisconnected({ registry, clients }: RoomsObserver, room: Room, sessionId: string): boolean {
  const counted = registry.of(room).players.delete(sessionId);
  if (counted) {
    clients.add(typeOf(room), -1);
  }
  return counted;
}
