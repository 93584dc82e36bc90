import type { Client, RegisteredHandler, Room } from "@colyseus/core";
import { now } from "../internal/clock.ts";
import type { Undo } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import { endConnection } from "./leave.ts";
import { typeOf, type RoomsObserver } from "./observer.ts";

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
    join: (room: Room, client: Client) => {
      const connection = observer.registry.of(room).connections.get(client.sessionId);
      if (connection) {
        connection.joined = true;
        observer.clients.add(typeOf(room), 1);
        observer.playerJoined();
      }
    },
    leave: (room: Room, client: Client) => endConnection(observer, room, client),
    dispose: (room: Room) => {
      const state = observer.registry.of(room);
      if (state.counted) {
        state.counted = false;
        observer.rooms.add(typeOf(room), -1);
        observer.teller.note({ note: "room.disposed", room: typeOf(room), seconds: Math.max(0, now() - state.createdAt) / 1000 });
      }
    },
  };
  const guarded = Object.entries(listeners).map(([event, listener]) => {
    const safe = (room: Room, client: Client) => {
      guard(event, () => listener(room, client));
    };
    handler.on(event as "join", safe);
    return () => handler.off(event as "join", safe);
  });
  return () => guarded.forEach((undo) => undo());
}
