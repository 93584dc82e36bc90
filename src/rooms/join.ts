import type { Attributes } from "@opentelemetry/api";
import type { Client, Room } from "@colyseus/core";
import { ATTRIBUTES, SPANS } from "../conventions.ts";
import { around } from "../internal/around.ts";
import { now } from "../internal/clock.ts";
import type { Method } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import type { Connection } from "../sessions/registry.ts";
import { continueSession, startSession } from "../sessions/session.ts";
import { newStep, type Step } from "../telling/step.ts";
import { joinFailure } from "./failures.ts";
import { closeJoinPart, openJoinPart, type RoomHook } from "./hook.ts";
import { endConnection } from "./leave.ts";
import { typeOf, type RoomsObserver } from "./observer.ts";

/** `Room._onJoin`: the socket is there and claims its seat. Also the way of a reconnection, which asks no matchmaker. */
export function traceJoin(observer: RoomsObserver): (original: Method) => Method {
  return (original) =>
    function _onJoin(this: Room, ...args: unknown[]) {
      const client = args[0] as Client;
      const connection = observer.teller.active ? guard("join", openJoin, observer, this, client) : undefined;
      const join = connection?.joining;
      if (!connection || !join) {
        return original.apply(this, args);
      }
      return around(
        () => original.apply(this, args),
        (ok, error) =>
          guard("join", () => {
            closeJoin(observer, connection, join, ok, error);
            if (!ok && !connection.session.phase) {
              endConnection(observer, this, client.sessionId);
            }
          }),
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

function openJoin(observer: RoomsObserver, room: Room, client: Client): Connection {
  const { connections } = observer.registry.of(room);
  const returning = connections.get(client.sessionId);
  if (!returning) {
    const connection = newConnection(observer, room, client.sessionId);
    connections.set(client.sessionId, connection);
    observer.registry.open.add(connection.session);
    return connection;
  }
  const { session, joinContext } = returning;
  const attributes = joinAttributes(room, client.sessionId, session.id, "reconnect");
  const links = joinContext ? [{ context: joinContext }] : [];
  beginJoin(
    observer,
    returning,
    newStep(SPANS.roomJoin, { parent: session.root, target: typeOf(room), links, attributes }),
  );
  return returning;
}

function beginJoin({ teller }: RoomsObserver, connection: Connection, join: Step): void {
  teller.open(join);
  connection.joining = join;
  connection.joinContext = join.spanContext;
}

function newConnection(observer: RoomsObserver, room: Room, sessionId: string): Connection {
  const { seats } = observer.registry.of(room);
  const seat = seats.get(sessionId);
  seats.delete(sessionId);
  const at = now();
  const parent = seat?.parent;
  const above = seat?.player ?? parent;
  const connection: Connection = {
    session: seat?.claimed
      ? continueSession(observer, seat.claimed, at, above)
      : startSession(observer, sessionId, at, above),
    acceptedAt: at,
    joining: undefined,
    joinContext: undefined,
    hook: undefined,
    authRefused: false,
    heldUntil: undefined,
    left: undefined,
  };
  const attributes = joinAttributes(room, sessionId, connection.session.id, "new");
  if (seat) {
    attributes[ATTRIBUTES.seatWait.key] = Math.max(0, at - seat.reservedAt) / 1000;
  }
  beginJoin(observer, connection, newStep(SPANS.roomJoin, { start: at, parent, target: typeOf(room), attributes }));
  return connection;
}

function joinAttributes(room: Room, connectionId: string, sessionId: string, kind: string): Attributes {
  return {
    [ATTRIBUTES.room.key]: typeOf(room),
    [ATTRIBUTES.roomId.key]: room.roomId,
    [ATTRIBUTES.connectionId.key]: connectionId,
    [ATTRIBUTES.sessionId.key]: sessionId,
    [ATTRIBUTES.joinKind.key]: kind,
  };
}

function closeJoin({ teller }: RoomsObserver, connection: Connection, join: Step, ok: boolean, error: unknown): void {
  // A second socket for the same seat may be on its way already.
  if (connection.joining === join) {
    connection.joining = undefined;
  }
  join.failure ??= ok ? undefined : joinFailure(error, connection.authRefused);
  teller.close(join);
  if (ok) {
    connection.heldUntil = undefined;
  }
}
