import type { Client, Room } from "@colyseus/core";
import { QueueRoom } from "@colyseus/core";
import { ATTRIBUTES, SPANS } from "../conventions.ts";
import { now } from "../internal/clock.ts";
import type { Method } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import { endReason } from "../sessions/end-reason.ts";
import { endSession } from "../sessions/session.ts";
import { newStep } from "../telling/step.ts";
import type { RoomHook } from "./hook.ts";
import { typeOf, type RoomsObserver } from "./observer.ts";

/** onLeave, under the session, linked to the join. */
export const leaveHook: RoomHook = {
  key: "onLeave",
  subject: "client",
  open({ registry }, room, sessionId) {
    const connection = registry.of(room).connections.get(sessionId);
    const code = connection?.left?.code;
    return newStep(SPANS.roomOnLeave, {
      parent: connection?.session.root,
      target: typeOf(room),
      links: connection?.joinContext ? [{ context: connection.joinContext }] : [],
      attributes: {
        [ATTRIBUTES.room.key]: typeOf(room),
        [ATTRIBUTES.connectionId.key]: sessionId,
        ...(connection && { [ATTRIBUTES.sessionId.key]: connection.session.id }),
        ...(code !== undefined && { [ATTRIBUTES.closeCode.key]: code }),
      },
    });
  },
};

/** `Room._onLeave`: the close code and the moment of the disconnect, before any hook of the game runs. */
export function traceDisconnect(observer: RoomsObserver): (original: Method) => Method {
  return (original) =>
    function _onLeave(this: Room, ...args: unknown[]) {
      guard("leave", () => {
        const [client, code] = args as [Client, number | undefined];
        const connection = observer.registry.of(this).connections.get(client.sessionId);
        if (connection) {
          connection.left = { code, at: now() };
        }
      });
      return original.apply(this, args);
    };
}

/** The seat is really gone: no return is possible any more. */
export function endConnection(observer: RoomsObserver, room: Room, client: Client): void {
  const { connections } = observer.registry.of(room);
  const connection = connections.get(client.sessionId);
  if (!connection) {
    return;
  }
  connections.delete(client.sessionId);
  observer.registry.open.delete(connection.session);
  const { session, joined, held, left } = connection;
  const at = left?.at ?? now();
  const reason = endReason({ code: left?.code, joined, held, queue: isQueue(room) });
  if (joined) {
    observer.clients.add(typeOf(room), -1);
    const seconds = Math.max(0, at - session.startedAt) / 1000;
    observer.teller.note({ note: "connection.closed", room: typeOf(room), seconds });
  }
  endSession(observer, session, reason, left?.code, at);
}

/** A stay in a QueueRoom is matchmaking. */
export function isQueue(room: Room): boolean {
  return room instanceof QueueRoom;
}
