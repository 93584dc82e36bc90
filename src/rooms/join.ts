import type { Client, Room } from "@colyseus/core";
import { ATTRIBUTES, SPANS } from "../conventions.ts";
import { around } from "../internal/around.ts";
import { now } from "../internal/clock.ts";
import type { Method } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import { enterPhase } from "../sessions/phases.ts";
import type { Connection, Seat } from "../sessions/registry.ts";
import { beginMatch, continueSession, startSession, type Session } from "../sessions/session.ts";
import { newStep, type Step } from "../telling/step.ts";
import { joinFailure } from "./failures.ts";
import type { RoomHook } from "./hook.ts";
import { beginJoin, closeJoinPart, joinAttributes, openJoinPart, sayEarly } from "./join-step.ts";
import { endConnection } from "./leave.ts";
import { isQueue, typeOf, type RoomsObserver } from "./observer.ts";
import { playerConnected } from "./players.ts";
import { confirmReturn, openReturn } from "./reconnect.ts";
import { takeSeat } from "./reserve.ts";

/** `Room._onJoin`: the socket is there and claims its seat. Also the way of a return, which asks no matchmaker. */
export function traceJoin(observer: RoomsObserver): (original: Method) => Method {
  return (original) =>
    function _onJoin(this: Room, ...args: unknown[]) {
      const [client, , options] = args as [Client, unknown, { reconnectionToken?: unknown } | undefined];
      const connection = observer.teller.active
        ? guard("join", openJoin, observer, this, client, options?.reconnectionToken)
        : undefined;
      const join = connection?.joining;
      return around(
        () => original.apply(this, args),
        (ok, error) => {
          if (connection && join) {
            guard("join", closeJoin, observer, this, client, connection, join, ok, error);
          }
          // The event `join` comes for first joins only.
          if (ok && options?.reconnectionToken !== undefined && this.clients.includes(client)) {
            guard("join", playerConnected, observer, this, client.sessionId);
          }
        },
      );
    };
}

/** onJoin, under room.join. */
export const joinHook: RoomHook = {
  key: "onJoin",
  subject: "client",
  open(observer, room, sessionId) {
    const attributes = { [ATTRIBUTES.room.key]: typeOf(room), [ATTRIBUTES.connectionId.key]: sessionId };
    return openJoinPart(observer, room, sessionId, SPANS.roomOnJoin, attributes);
  },
  close(observer, _step, { room, sessionId }) {
    closeJoinPart(observer, room, sessionId);
  },
};

/** The event `join`: not when _onJoin is over, as a listener after ours may end the room, and the session. */
export function confirmJoin(observer: RoomsObserver, room: Room, client: Client): void {
  playerConnected(observer, room, client.sessionId);
  observer.playerJoined();
  const connection = observer.registry.of(room).connections.get(client.sessionId);
  if (connection) {
    if (connection.home === "in_game") {
      beginMatch(observer, connection.session, connection.acceptedAt);
    }
    // Dated back to the socket.
    enterPhase(observer, connection, connection.home, connection.acceptedAt);
    sayEarly(connection);
  }
}

function openJoin(observer: RoomsObserver, room: Room, client: Client, token: unknown): Connection | undefined {
  const { byClient, of, open, queued } = observer.registry;
  const { connections, seats } = of(room);
  const { sessionId } = client;
  const known = connections.get(sessionId);
  // The return of a player who joined before anything listened.
  if (!known && token !== undefined && !seats.has(sessionId)) {
    return undefined;
  }
  const connection = known ?? newConnection(observer, room, seats.get(sessionId), client);
  byClient.set(client, connection);
  if (known) {
    openReturn(observer, room, client, known);
    return known;
  }
  connections.set(sessionId, connection);
  open.add(connection);
  if (isQueue(room)) {
    queued.set(sessionId, connection);
  }
  openFirstJoin(observer, room, connection, seats.get(sessionId));
  return connection;
}

function newConnection(observer: RoomsObserver, room: Room, seat: Seat | undefined, client: Client): Connection {
  const at = now();
  return {
    session: sessionFor(observer, seat, client.sessionId, at),
    home: observer.homeOf(room),
    room: room.roomId,
    match: undefined,
    phase: undefined,
    early: undefined,
    client,
    acceptedAt: at,
    joining: undefined,
    joinContext: undefined,
    hook: undefined,
    authRefused: false,
    reason: undefined,
    returning: undefined,
    heldUntil: undefined,
    left: undefined,
  };
}

function sessionFor(observer: RoomsObserver, seat: Seat | undefined, id: string, at: number): Session {
  if (seat?.session) {
    return seat.session;
  }
  const beginning = { at, parent: seat?.player ?? seat?.parent, locale: seat?.locale };
  return seat?.claimed ? continueSession(observer, seat.claimed, beginning) : startSession(observer, id, beginning);
}

function openFirstJoin(observer: RoomsObserver, room: Room, connection: Connection, seat: Seat | undefined): void {
  const { acceptedAt, client, session } = connection;
  const attributes = joinAttributes(room, client.sessionId, session.id, seat?.moved ? "moved" : "new");
  if (seat) {
    takeSeat(observer, seat);
    attributes[ATTRIBUTES.seatWait.key] = Math.max(0, acceptedAt - seat.reservedAt) / 1000;
  }
  const fields = { start: acceptedAt, parent: seat?.parent, target: typeOf(room), attributes };
  beginJoin(observer, connection, newStep(SPANS.roomJoin, fields));
}

function closeJoin(
  observer: RoomsObserver,
  room: Room,
  client: Client,
  connection: Connection,
  join: Step,
  ok: boolean,
  error: unknown,
): void {
  // A second socket for the same seat may be on its way already.
  if (connection.joining === join) {
    connection.joining = undefined;
  }
  join.failure ??= ok ? undefined : joinFailure(error, connection.authRefused);
  observer.teller.close(join);
  if (connection.returning === client) {
    connection.returning = undefined;
    // Without a phase the stay is over: a game may send the player away in onReconnect.
    if (ok && connection.phase) {
      confirmReturn(observer, room, client, connection, join);
    }
  } else if (!ok && !connection.phase) {
    endConnection(observer, room, client.sessionId);
  }
}
