import type { Client, RegisteredHandler, Room } from "@colyseus/core";
import { now } from "../internal/clock.ts";
import type { Undo } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import { enterPhase } from "../sessions/session.ts";
import { endConnection, isQueue } from "./leave.ts";
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
      const { players, connections } = observer.registry.of(room);
      players.add(client.sessionId);
      observer.clients.add(typeOf(room), 1);
      observer.playerJoined();
      const connection = connections.get(client.sessionId);
      if (connection) {
        // Dated back to the socket. Not when _onJoin is over: a listener after this one may end the room, and the session.
        const { session, acceptedAt } = connection;
        enterPhase(observer, session, isQueue(room) ? "matchmaking" : "in_game", acceptedAt);
      }
    },
    leave: (room: Room, client: Client) => {
      if (observer.registry.of(room).players.delete(client.sessionId)) {
        observer.clients.add(typeOf(room), -1);
      }
      endConnection(observer, room, client.sessionId);
    },
    dispose: (room: Room) => {
      const state = observer.registry.of(room);
      // A hook that never returns keeps its player from leaving, and from not getting in.
      for (const [sessionId, { hook }] of state.connections) {
        if (hook) {
          endConnection(observer, room, sessionId);
        }
      }
      if (state.counted) {
        state.counted = false;
        observer.rooms.add(typeOf(room), -1);
        observer.teller.note({
          note: "room.disposed",
          room: typeOf(room),
          seconds: Math.max(0, now() - state.createdAt) / 1000,
        });
      }
    },
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
