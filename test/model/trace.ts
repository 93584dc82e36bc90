import type { SpanContext } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Registry } from "../../src/sessions/registry.ts";
import { endType } from "./ends.ts";
import type { Model } from "./model.ts";
import { Counts, differences } from "./points.ts";
import { calls } from "./rooms.ts";
import type { World } from "./world.ts";

/** The span that players bring along. */
export const PLAYER = { traceId: "a".repeat(32), spanId: "b".repeat(16) };

/** What is wrong with a story's spans, now that it is over: a line a fault. */
export function faultsOf(model: Model, world: World): string[] {
  const spans = world.game.recorded.spans();
  return [
    ...world.open.names.map((name) => `${name} has not ended`),
    ...strays(spans),
    ...astray(spans),
    ...differences(expectedSessions(model), sessionsOf(spans)),
    ...differences(new Counts(calls), hooksOf(spans)),
    ...leftovers(world),
  ];
}

/** Spans whose parent, or a span that they link to, is not there. */
function strays(spans: readonly ReadableSpan[]): string[] {
  const known = new Map(spans.map((span) => [span.spanContext().spanId, span.spanContext().traceId]));
  known.set(PLAYER.spanId, PLAYER.traceId);
  const isKnown = ({ spanId, traceId }: SpanContext) => known.get(spanId) === traceId;
  return spans.flatMap(({ name, parentSpanContext: parent, links }) => [
    ...(parent && !isKnown(parent) ? [`${name} is an orphan`] : []),
    ...links.filter(({ context }) => !isKnown(context)).map(() => `${name} links to a span that is not there`),
  ]);
}

/** What follows a join hangs from its session and, where it is a hook or a return, is linked to that join. */
function astray(spans: readonly ReadableSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
  const follows = /^(session\.(lifecycle|phase)|room\.on_(drop|reconnect|leave) )/;
  const isReturn = ({ attributes }: ReadableSpan) => attributes["colyseus.join.kind"] === "reconnect";
  return spans
    .filter((span) => follows.test(span.name) || isReturn(span))
    .flatMap((span) => {
      const { name, attributes, links, parentSpanContext } = span;
      const session = byId.get(parentSpanContext?.spanId ?? "");
      const [join] = links.map(({ context }) => byId.get(context.spanId));
      const linked = !name.startsWith("session.") && !join?.name.startsWith("room.join");
      return [
        ...(session?.name === "session.started" && isOf(attributes, session) ? [] : [`${name} is in no session`]),
        ...(linked || (join && !isOf(attributes, join)) ? [`${name} is not linked to its join`] : []),
      ];
    });
}

function isOf(attributes: ReadableSpan["attributes"], other: ReadableSpan): boolean {
  return attributes["session.id"] === other.attributes["session.id"];
}

function expectedSessions(model: Model): Counts {
  const sessions = new Counts();
  for (const [point, ended] of model.points()) {
    const [metric, phase] = point.split(" phase=");
    if (metric === "game.session.phase.duration") {
      sessions.add(`session.phase.${phase}`, ended);
    }
  }
  for (const [id, reason] of model.ends) {
    sessions.add(`session.started ${id}`, 1);
    sessions.add(`session.lifecycle ${id} ${reason} ${endType(reason)}`, 1);
  }
  return sessions;
}

function sessionsOf(spans: readonly ReadableSpan[]): Counts {
  const sessions = new Counts();
  for (const { name, attributes } of spans) {
    if (name === "session.started" || name === "session.lifecycle") {
      const facts = ["session.id", "session.end_reason", "session.end_type"].map((key) => attributes[key]);
      sessions.add([name, ...facts.filter((fact) => fact !== undefined)].join(" "), 1);
    } else if (name.startsWith("session.phase.")) {
      sessions.add(name, 1);
    }
  }
  return sessions;
}

function hooksOf(spans: readonly ReadableSpan[]): Counts {
  const hooks = new Counts();
  for (const { name } of spans) {
    if (/^room\.(?!join )/.test(name)) {
      hooks.add(name, 1);
    }
  }
  return hooks;
}

/** What is still remembered of rooms and players that are gone. */
function leftovers({ registry, rooms }: World): string[] {
  const states = [["the registry", registry] as const, ...Array.from(rooms, roomState(registry))];
  return states.flatMap(([whose, state]) =>
    Object.entries(state).flatMap(([key, held]) =>
      (held instanceof Map || held instanceof Set) && held.size > 0 ? [`${whose} has ${held.size} ${key}`] : [],
    ),
  );
}

function roomState(registry: Registry) {
  return (room: Parameters<Registry["of"]>[0]) => [`${room.roomName} ${room.roomId}`, registry.of(room)] as const;
}
