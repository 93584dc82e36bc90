import type { Attributes } from "@opentelemetry/api";
import type { Client, Room } from "@colyseus/core";
import { CloseCode, matchMaker, QueueRoom } from "@colyseus/core";
import { ATTRIBUTES, ERROR_TYPES, SPANS } from "../conventions.ts";
import { now } from "../internal/clock.ts";
import type { Method } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import { endReason } from "../sessions/end-reason.ts";
import type { Connection } from "../sessions/registry.ts";
import { endSession } from "../sessions/session.ts";
import { newStep, type Failure } from "../telling/step.ts";
import type { RoomHook } from "./hook.ts";
import { typeOf, type RoomsObserver } from "./observer.ts";

const INTERRUPTED: Failure = { type: ERROR_TYPES.interrupted, expected: true };

/** A timer of Node's may be early by a millisecond. */
const EARLY_MS = 2;

/** onLeave, under the session, linked to the join. */
export const leaveHook: RoomHook = {
  key: "onLeave",
  subject: "client",
  open({ registry }, room, sessionId) {
    const connection = registry.of(room).connections.get(sessionId);
    const code = connection?.left?.code;
    const attributes: Attributes = {
      [ATTRIBUTES.room.key]: typeOf(room),
      [ATTRIBUTES.connectionId.key]: sessionId,
    };
    if (connection) {
      attributes[ATTRIBUTES.sessionId.key] = connection.session.id;
    }
    if (code !== undefined) {
      attributes[ATTRIBUTES.closeCode.key] = code;
    }
    return newStep(SPANS.roomOnLeave, {
      parent: connection?.session.root,
      target: typeOf(room),
      links: connection?.joinContext ? [{ context: connection.joinContext }] : [],
      attributes,
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
export function endConnection(observer: RoomsObserver, room: Room, sessionId: string): void {
  const { connections } = observer.registry.of(room);
  const connection = connections.get(sessionId);
  if (!connection) {
    return;
  }
  connections.delete(sessionId);
  observer.registry.open.delete(connection.session);
  interruptJoin(observer, connection);
  const { session, acceptedAt, left } = connection;
  const joined = session.phase !== undefined;
  const at = left?.at ?? now();
  if (joined) {
    const seconds = Math.max(0, at - acceptedAt) / 1000;
    observer.teller.note({ note: "connection.closed", room: typeOf(room), seconds });
  }
  endSession(observer, session, reasonOf(connection, joined, room), left?.code, at);
}

/** A hook that never returns has the game's last word when its player or its room goes. */
function interruptJoin({ teller }: RoomsObserver, { hook, joining }: Connection): void {
  for (const step of [hook, joining]) {
    if (step) {
      step.failure = INTERRUPTED;
      teller.close(step);
    }
  }
}

function reasonOf({ heldUntil, left }: Connection, joined: boolean, room: Room): string {
  const expired = heldUntil !== undefined && now() + EARLY_MS >= heldUntil;
  // A shutdown gives up the seats that it still holds: these players broke off, and would have come back.
  const gone = heldUntil !== undefined && matchMaker.state === matchMaker.MatchMakerState.SHUTTING_DOWN;
  return endReason({ code: gone ? CloseCode.SERVER_SHUTDOWN : left?.code, joined, expired, queue: isQueue(room) });
}

/** A stay in a QueueRoom is matchmaking. */
export function isQueue(room: Room): boolean {
  return room instanceof QueueRoom;
}
