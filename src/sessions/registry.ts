import type { SpanContext } from "@opentelemetry/api";
import type { Client, Room } from "@colyseus/core";
import type { Step } from "../telling/step.ts";
import type { Stay } from "./phases.ts";
import type { Session } from "./session.ts";
import type { ClaimedSession } from "./steps.ts";

/** A reserved seat that nobody has claimed yet. */
export interface Seat {
  readonly room: Room;
  /** Colyseus' sessionId. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly reservedAt: number;
  readonly expiresAt: number;
  /** The matchmaking request that reserved it, or what was active when server code did. */
  readonly parent: SpanContext | undefined;
  /** The player's own context, where it was continued. */
  readonly player: SpanContext | undefined;
  readonly claimed: ClaimedSession | undefined;
  /** Language that the request asked for. */
  readonly locale: string | undefined;
  /** The session of this process that moves here, from a QueueRoom or by its token. The seat is one of its stays. */
  readonly session: Session | undefined;
  /** The player was in another room before. */
  readonly moved: boolean;
}

/** One player's stay in one room, across reconnections. */
export interface Connection extends Stay {
  /** Whose socket was confirmed last, or the first on its way in. */
  client: Client;
  /** That socket, in epoch milliseconds. The session may be older. */
  acceptedAt: number;
  /** Open until the join is confirmed or refused. */
  joining: Step | undefined;
  /** What the game has said of the session before the join, or the return, was confirmed. */
  early: (() => void)[] | undefined;
  /** The open onAuth, onJoin or onReconnect inside it. */
  hook: Step | undefined;
  /** The last room.join, for links. */
  joinContext: SpanContext | undefined;
  authRefused: boolean;
  /** The game's own word for the end of this stay: it counts more than any close code. */
  reason: string | undefined;
  /** Who is on the way back to a held seat. */
  returning: Client | undefined;
  /** allowReconnection() holds the seat, until these epoch milliseconds. */
  heldUntil: number | undefined;
  /** The disconnect; undefined while connected. */
  left: Disconnect | undefined;
}

export interface Disconnect {
  /** Close code as Colyseus gave it to `_onLeave`. */
  readonly code: number | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
  /** It was the end of a return that the game refused. */
  readonly refused: boolean;
  /** The server was closing the room. */
  readonly closing: boolean;
}

export interface RoomState {
  readonly createdAt: number;
  /** By Colyseus' sessionId. */
  readonly seats: Map<string, Seat>;
  readonly connections: Map<string, Connection>;
  /** Counted in `colyseus.clients`: joined and connected, whether anything listened at the time or not. */
  readonly players: Set<string>;
  /** room.create, for links. */
  createContext: SpanContext | undefined;
  /** Counted in `colyseus.rooms`. */
  counted: boolean;
}

/** All that we know about Colyseus' objects. Weak: a room that is gone takes its state with it. */
export interface Registry {
  of(room: Room): RoomState;
  /** By the socket that claimed the seat, also one that was dropped since. */
  readonly byClient: WeakMap<Client, Connection>;
  /** Connections that have not ended. */
  readonly open: Set<Connection>;
  /** Stays in QueueRooms, by Colyseus' sessionId: the match room that a queue makes keeps it. */
  readonly queued: Map<string, Connection>;
}

export function createRegistry(now: () => number): Registry {
  const rooms = new WeakMap<Room, RoomState>();
  return {
    byClient: new WeakMap(),
    open: new Set(),
    queued: new Map(),
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
