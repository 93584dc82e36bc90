import type { Client, Room } from "@colyseus/core";
import { CloseCode, matchMaker } from "@colyseus/core";
import { SPANS } from "../conventions.ts";
import { now } from "../internal/clock.ts";
import type { Method } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import { endReason, isLost } from "../sessions/end-reason.ts";
import { leavePhase } from "../sessions/phases.ts";
import type { Connection } from "../sessions/registry.ts";
import { leaveSession } from "../sessions/session.ts";
import { endedBy } from "../sessions/steps.ts";
import { beginReconnecting } from "./drop.ts";
import { INTERRUPTED } from "./failures.ts";
import type { RoomHook } from "./hook.ts";
import { isQueue, typeOf, type RoomsObserver } from "./observer.ts";
import { playerDisconnected } from "./players.ts";
import { openStayPart } from "./stay-part.ts";

/** A timer of Node's may be early by a millisecond. */
const EARLY_MS = 2;

/** onLeave: the player is gone for good. */
export const leaveHook: RoomHook = {
  key: "onLeave",
  subject: "client",
  open({ registry }, room, sessionId) {
    return openStayPart(SPANS.roomOnLeave, room, sessionId, registry.of(room).connections.get(sessionId));
  },
};

/** `Room._onLeave`: the close code and the moment of the disconnect, before any hook of the game runs. */
export function traceDisconnect(observer: RoomsObserver): (original: Method) => Method {
  return (original) =>
    function _onLeave(this: Room, ...args: unknown[]) {
      const [client, code] = args as [Client, number | undefined];
      // A reload under Vite gives the room types new handlers, and those hear that the rooms of the old ones end.
      guard("leave", observer.meetNewRooms, this.roomName);
      guard("leave", disconnect, observer, this, client, code);
      return original.apply(this, args);
    };
}

function disconnect(observer: RoomsObserver, room: Room, client: Client, code: number | undefined): void {
  const connection = observer.registry.byClient.get(client);
  const returning = connection?.returning === client;
  // Also called for a client that has left, or that another one has replaced.
  if (!returning && connection && (connection.left || connection.client !== client)) {
    return;
  }
  const joined = playerDisconnected(observer, room, client.sessionId);
  if (!connection) {
    return;
  }
  const left = { code, at: now(), refused: returning, closing: isClosing(room) };
  connection.left = left;
  if (joined) {
    const seconds = Math.max(0, left.at - connection.acceptedAt) / 1000;
    observer.teller.note({ note: "connection.closed", room: typeOf(room), seconds });
    if (connection.heldUntil !== undefined) {
      beginReconnecting(observer, room, connection, left);
    }
  }
}

/** The seat is really gone: no return is possible any more. */
export function endConnection(observer: RoomsObserver, room: Room, sessionId: string): void {
  const { of, open, queued } = observer.registry;
  const { connections } = of(room);
  const connection = connections.get(sessionId);
  if (!connection) {
    return;
  }
  connections.delete(sessionId);
  open.delete(connection);
  if (queued.get(sessionId) === connection) {
    queued.delete(sessionId);
  }
  interruptJoin(observer, connection);
  countDrop(observer, room, connection);
  const { session, phase, left, heldUntil } = connection;
  const reason = connection.reason ?? reasonOf(observer, room, connection);
  const at = heldUntil === undefined && left ? left.at : now();
  leavePhase(observer, connection, endedBy(reason), at);
  leaveSession(observer, session, { reason, phase: phase?.name, code: left?.code, at });
}

/** A hook that never returns has the game's last word when its player or its room goes. */
function interruptJoin({ teller }: RoomsObserver, { hook, joining }: Connection): void {
  // Without a hook the join is in core's hands, and about to say for itself how it came out.
  for (const step of hook ? [hook, joining] : []) {
    if (step) {
      step.failure = INTERRUPTED;
      teller.close(step);
    }
  }
}

function countDrop({ teller }: RoomsObserver, room: Room, { heldUntil, phase, left }: Connection): void {
  if (heldUntil !== undefined) {
    const outcome = left?.refused ? "refused" : hasPassed(heldUntil) ? "expired" : "abandoned";
    teller.note({ note: "seat.held", room: typeOf(room), outcome, gap: undefined });
  } else if (phase && left && isLost(left)) {
    teller.note({ note: "drop", room: typeOf(room), outcome: "lost" });
  }
}

function reasonOf({ drain, endReasonOf }: RoomsObserver, room: Room, { heldUntil, left, phase }: Connection): string {
  const down = matchMaker.state === matchMaker.MatchMakerState.SHUTTING_DOWN;
  // A shutdown gives up the seats that it still holds: these players broke off, and would have come back.
  const code = down && heldUntil !== undefined ? CloseCode.SERVER_SHUTDOWN : left?.code;
  return endReason(
    {
      code,
      joined: phase !== undefined,
      expired: heldUntil !== undefined && hasPassed(heldUntil),
      queue: isQueue(room),
      crashed: down && drain.crashed,
      closing: left?.closing === true,
    },
    endReasonOf,
  );
}

/** Colyseus' RoomInternalState.DISPOSING, which it does not export: from `room.disconnect()` on. */
const DISPOSING = 2;

function isClosing(room: Room): boolean {
  return Number(room["_internalState"]) === DISPOSING;
}

function hasPassed(heldUntil: number): boolean {
  return now() + EARLY_MS >= heldUntil;
}
