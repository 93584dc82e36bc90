import type { Attributes } from "@opentelemetry/api";
import type { Room } from "@colyseus/core";
import { ATTRIBUTES, type SpanConvention } from "../conventions.ts";
import type { Connection } from "../sessions/registry.ts";
import { newStep, type Step } from "../telling/step.ts";
import { typeOf } from "./observer.ts";

/** The step of a hook about a player who was in: under the session, linked to the join. */
export function openStayPart(
  span: SpanConvention,
  room: Room,
  sessionId: string,
  connection: Connection | undefined,
): Step {
  const attributes: Attributes = { [ATTRIBUTES.room.key]: typeOf(room), [ATTRIBUTES.connectionId.key]: sessionId };
  if (connection) {
    attributes[ATTRIBUTES.sessionId.key] = connection.session.id;
  }
  if (connection?.left?.code !== undefined) {
    attributes[ATTRIBUTES.closeCode.key] = connection.left.code;
  }
  return newStep(span, {
    parent: connection?.session.root,
    target: typeOf(room),
    links: connection?.joinContext ? [{ context: connection.joinContext }] : [],
    attributes,
  });
}
