import type { Client, Room } from "@colyseus/core";
import { SPANS } from "../conventions.ts";
import { changePhase } from "../sessions/phases.ts";
import type { Connection } from "../sessions/registry.ts";
import { newStep, type Step } from "../telling/step.ts";
import { INTERRUPTED } from "./failures.ts";
import type { RoomHook } from "./hook.ts";
import { beginJoin, closeJoinPart, joinAttributes, sayEarly } from "./join-step.ts";
import { typeOf, type RoomsObserver } from "./observer.ts";
import { openStayPart } from "./stay-part.ts";

/** onReconnect, for which the return waits. */
export const reconnectHook: RoomHook = {
  key: "onReconnect",
  subject: "client",
  open(observer, room, sessionId) {
    const connection = observer.registry.of(room).connections.get(sessionId);
    const step = openStayPart(SPANS.roomOnReconnect, room, sessionId, connection);
    if (connection) {
      connection.hook = step;
    }
    return step;
  },
  close(observer, _step, { room, sessionId }) {
    closeJoinPart(observer, room, sessionId);
  },
};

/** A socket for a seat that is taken: its player is back, by the token that the room gave to the first one. */
export function openReturn(observer: RoomsObserver, room: Room, client: Client, connection: Connection): void {
  const { session, joinContext, joining, left } = connection;
  // Of the returns that wait for the old connection's end core knows only the last: the others' _onJoin never settles.
  if (connection.returning && joining && !left) {
    joining.failure = INTERRUPTED;
    observer.teller.close(joining);
  }
  connection.returning = client;
  connection.early = undefined;
  const fields = {
    parent: session.root,
    target: typeOf(room),
    links: joinContext ? [{ context: joinContext }] : [],
    attributes: joinAttributes(room, client.sessionId, session.id, "reconnect"),
  };
  beginJoin(observer, connection, newStep(SPANS.roomJoin, fields));
}

/** The return is confirmed, and the session goes on where it was. */
export function confirmReturn(
  observer: RoomsObserver,
  room: Room,
  client: Client,
  connection: Connection,
  join: Step,
): void {
  const { left, heldUntil } = connection;
  connection.client = client;
  connection.acceptedAt = join.start;
  connection.left = undefined;
  connection.heldUntil = undefined;
  // Said of an end that did not come.
  connection.reason = undefined;
  if (left && heldUntil !== undefined) {
    // A player who changes networks is back before the old socket is known to be gone.
    const at = Math.max(join.start, left.at);
    observer.teller.note({ note: "seat.held", room: typeOf(room), outcome: "returned", gap: (at - left.at) / 1000 });
    changePhase(observer, connection, connection.home, { at, endedBy: "return" });
  }
  sayEarly(connection);
}
