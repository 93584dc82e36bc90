import type { Attributes } from "@opentelemetry/api";
import type { Room } from "@colyseus/core";
import { ATTRIBUTES, type SpanConvention } from "../conventions.ts";
import type { Connection } from "../sessions/registry.ts";
import { newStep, type Step } from "../telling/step.ts";
import { typeOf, type RoomsObserver } from "./observer.ts";

/** Opens a room.join: the first one, or that of a return. */
export function beginJoin({ teller }: RoomsObserver, connection: Connection, join: Step): void {
  teller.open(join);
  connection.joining = join;
  connection.joinContext = join.spanContext;
}

/** What the game has said of a player on the way in, or back. */
export function sayEarly(connection: Connection): void {
  for (const say of connection.early?.splice(0) ?? []) {
    say();
  }
}

export function joinAttributes(room: Room, connectionId: string, sessionId: string, kind: string): Attributes {
  return {
    [ATTRIBUTES.room.key]: typeOf(room),
    [ATTRIBUTES.roomId.key]: room.roomId,
    [ATTRIBUTES.connectionId.key]: connectionId,
    [ATTRIBUTES.sessionId.key]: sessionId,
    [ATTRIBUTES.joinKind.key]: kind,
  };
}

/** The step of a hook for which a join waits. */
export function openJoinPart(
  { registry }: RoomsObserver,
  room: Room,
  sessionId: string,
  span: SpanConvention,
  attributes: Attributes,
): Step {
  const connection = registry.of(room).connections.get(sessionId);
  const step = newStep(span, { parent: connection?.joining, target: typeOf(room), attributes });
  if (connection) {
    connection.hook = step;
  }
  return step;
}

/** The hook has returned. */
export function closeJoinPart({ registry }: RoomsObserver, room: Room, sessionId: string): Connection | undefined {
  const connection = registry.of(room).connections.get(sessionId);
  if (connection) {
    connection.hook = undefined;
  }
  return connection;
}
