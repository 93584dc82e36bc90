import type { Client, RegisteredHandler, Room } from "@colyseus/core";
import { now } from "../internal/clock.ts";
import type { Undo } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import { confirmJoin } from "./join.ts";
import { endConnection } from "./leave.ts";
import { typeOf, type RoomsObserver } from "./observer.ts";
import { expireSeat } from "./reserve.ts";

/**
 * Counts rooms and players by the events of their handler. Never `matchMaker.stats`: it drifts
 * (colyseus/colyseus#685: -447 against 1618).
 */
export function countPopulation(observer: RoomsObserver, handler: RegisteredHandler): Undo {
  const listeners = {
    create: (room: Room) => {
      observer.registry.of(room).counted = true;
      observer.rooms.add(typeOf(room), 1);
    },
    join: (room: Room, client: Client) => confirmJoin(observer, room, client),
    leave: (room: Room, client: Client) => endConnection(observer, room, client.sessionId),
    dispose: (room: Room) => endRoom(observer, room),
  };
  const guarded = Object.entries(listeners).map(([event, listener]) => {
    const safe = (room: Room, client: Client) => {
      guard(event, listener, room, client);
    };
    handler.on(event as "join", safe);
    return () => handler.off(event as "join", safe);
  });
  return () => guarded.forEach((undo) => undo());
}

function endRoom(observer: RoomsObserver, room: Room): void {
  const state = observer.registry.of(room);
  // A hook that never returns keeps its player from leaving, and from not getting in.
  for (const [sessionId, { hook }] of state.connections) {
    if (hook) {
      endConnection(observer, room, sessionId);
    }
  }
  for (const seat of state.seats.values()) {
    expireSeat(observer, seat);
  }
  if (state.counted) {
    state.counted = false;
    observer.rooms.add(typeOf(room), -1);
    const seconds = Math.max(0, now() - state.createdAt) / 1000;
    observer.teller.note({ note: "room.disposed", room: typeOf(room), seconds });
  }
}
