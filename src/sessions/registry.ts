import type { SpanContext } from "@opentelemetry/api";
import type { Room } from "@colyseus/core";
import type { Step } from "../telling/step.ts";
import type { Session } from "./session.ts";
import type { ClaimedSession } from "./steps.ts";

/** A reserved seat that nobody has claimed yet. */
export interface Seat {
  readonly reservedAt: number;
  /** The matchmaking request that reserved it, or what was active when server code did. */
  readonly parent: SpanContext | undefined;
  /** The player's own context, where it was continued. */
  readonly player: SpanContext | undefined;
  readonly claimed: ClaimedSession | undefined;
}

/** One player's stay in one room, across reconnections. */
export interface Connection {
  readonly session: Session;
  /** The first socket, in epoch milliseconds. The session may be older. */
  readonly acceptedAt: number;
  /** Open until the join is confirmed or refused. */
  joining: Step | undefined;
  /** The open onAuth or onJoin inside it. */
  hook: Step | undefined;
  /** The last room.join, for links. */
  joinContext: SpanContext | undefined;
  authRefused: boolean;
  /** allowReconnection() holds the seat, until these epoch milliseconds. */
  heldUntil: number | undefined;
  /** The last disconnect. */
  left: { readonly code: number | undefined; readonly at: number } | undefined;
}

export interface RoomState {
  readonly createdAt: number;
  /** By Colyseus' sessionId. */
  readonly seats: Map<string, Seat>;
  readonly connections: Map<string, Connection>;
  /** Counted in `colyseus.clients`: joined, whether anything listened at the time or not. */
  readonly players: Set<string>;
  /** room.create, for links. */
  createContext: SpanContext | undefined;
  /** Counted in `colyseus.rooms`. */
  counted: boolean;
}

/** All that we know about Colyseus' objects. Weak: a room that is gone takes its state with it. */
export interface Registry {
  of(room: Room): RoomState;
  /** Sessions that have not ended. */
  readonly open: Set<Session>;
}

export function createRegistry(now: () => number): Registry {
  const rooms = new WeakMap<Room, RoomState>();
  return {
    open: new Set(),
    of(room) {
      const known = rooms.get(room);
      if (known) {
        return known;
      }
      const state: RoomState = {
        createdAt: now(),
        seats: new Map(),
        connections: new Map(),
        players: new Set(),
        createContext: undefined,
        counted: false,
      };
      rooms.set(room, state);
      return state;
    },
  };
}
