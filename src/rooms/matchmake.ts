import { context, trace, type Attributes, type SpanContext } from "@opentelemetry/api";
import { matchMaker, Room } from "@colyseus/core";
import { ATTRIBUTES, SPANS } from "../conventions.ts";
import { around } from "../internal/around.ts";
import type { Method } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import { languageFromHeaders } from "../propagation/headers.ts";
import { stripJoinOptions } from "../propagation/join-options.ts";
import type { Admission } from "../propagation/trust.ts";
import { contextOf, newStep, type Step, type StepLink } from "../telling/step.ts";
import { matchmakeFailure } from "./failures.ts";
import { newJourney, withJourney, type Journey, type Refusal } from "./journey.ts";
import type { RoomsObserver } from "./observer.ts";

const OUTCOME_OF: Record<Refusal, string> = {
  room_full: "refused_full",
  auth_failed: "refused_auth",
  refused: "error",
  ipc_timeout: "ipc_timeout",
};

interface Request {
  readonly step: Step;
  readonly journey: Journey;
  /** The very room that was asked for by its id, where it runs in this process. */
  readonly asked: Room | undefined;
}

/** `controller.invokeMethod`: the first place that sees the player's request, and the only one that sees its options whole. */
export function traceMatchmake(observer: RoomsObserver): (original: Method) => Method {
  return (original) =>
    function invokeMethod(this: unknown, ...args: unknown[]) {
      const request = observer.teller.active ? guard("matchmake", openRequest, observer, args) : undefined;
      guard("matchmake", stripJoinOptions, args[2]);
      if (!request) {
        return original.apply(this, args);
      }
      const { step, journey } = request;
      return around(
        () => original.apply(this, args),
        (ok, outcome) => guard("matchmake", closeRequest, observer, request, ok, outcome),
        withJourney(contextOf(step), journey),
      );
    };
}

function openRequest(observer: RoomsObserver, args: readonly unknown[]): Request {
  const [method, roomNameOrId, options, authContext] = args;
  observer.meetNewRooms(roomNameOrId);
  const asked = roomById(method, roomNameOrId);
  const room = asked?.roomName ?? roomType(method, roomNameOrId);
  const http = activeSpan();
  const { player, session } = observer.gate.joinOptions(options);
  const headers = (authContext as { headers?: unknown } | undefined)?.headers;
  const header = observer.gate.headers(headers, !player.parent && !http);
  noteAdmissions(observer, player, session, header);
  const parent = player.parent ?? http ?? header.parent;
  const step = newStep(SPANS.matchmake, {
    parent,
    target: room,
    inner: http !== undefined,
    links: linksBeside(parent, player, http, header),
    attributes: requestAttributes(method, room),
  });
  observer.teller.open(step);
  const continued = player.parent ?? (http ? undefined : header.parent);
  const signed = observer.gate.signing !== undefined;
  const claimed = session.token && { token: session.token, root: player.parent, signed };
  const journey = newJourney(room, continued, claimed, languageFromHeaders(headers));
  return { step, asked, journey };
}

function requestAttributes(method: unknown, room: string | undefined): Attributes {
  const attributes: Attributes = {};
  if (typeof method === "string" && matchMaker.controller.exposedMethods.includes(method)) {
    attributes[ATTRIBUTES.method.key] = method;
  }
  if (room !== undefined) {
    attributes[ATTRIBUTES.room.key] = room;
  }
  return attributes;
}

/** A request without a token says nothing of a session, and is not counted. */
function noteAdmissions(
  { teller }: RoomsObserver,
  player: Admission,
  session: Pick<Admission, "outcome">,
  header: Admission,
): void {
  teller.note({ note: "trace_context", source: "join_options", outcome: player.outcome });
  if (session.outcome !== "absent") {
    teller.note({ note: "trace_context", source: "session_token", outcome: session.outcome });
  }
  teller.note({ note: "trace_context", source: "header", outcome: header.outcome });
}

function closeRequest(
  { teller }: RoomsObserver,
  { step, journey, asked }: Request,
  ok: boolean,
  outcome: unknown,
): void {
  journey.over = true;
  if (ok) {
    const { name, roomId, sessionId, processId } = outcome as matchMaker.ISeatReservation;
    step.target ??= name;
    step.result[ATTRIBUTES.room.key] = step.target;
    step.result[ATTRIBUTES.roomId.key] = roomId;
    step.result[ATTRIBUTES.connectionId.key] = sessionId;
    step.result[ATTRIBUTES.processId.key] = processId;
  } else {
    const returning = step.attributes[ATTRIBUTES.method.key] === "reconnect";
    // A full room is locked, and core says so and no more. A return asks for no seat.
    if (!returning && (asked ? asked.hasReachedMaxClients() : journey.full)) {
      journey.refusal ??= "room_full";
    }
    if (journey.room !== undefined) {
      step.target ??= journey.room;
      step.result[ATTRIBUTES.room.key] = step.target;
    }
    step.failure = matchmakeFailure(outcome, journey);
    const kind = returning ? "reconnect" : journey.moved ? "moved" : "new";
    teller.note({ note: "join.refused", room: step.target, kind, outcome: refusedOutcome(journey) });
  }
  teller.close(step);
}

/** Contexts that came along and are not the parent, each once. One that the HTTP span continues already is no news. */
function linksBeside(
  parent: SpanContext | undefined,
  player: Admission,
  http: SpanContext | undefined,
  header: Admission,
): StepLink[] {
  const links: StepLink[] = [];
  const add = (linked: SpanContext | undefined, source: string) => {
    if (
      linked &&
      linked.spanId !== parent?.spanId &&
      links.every(({ context: { spanId } }) => spanId !== linked.spanId)
    ) {
      links.push({ context: linked, source });
    }
  };
  add(player.link, "join_options");
  add(http, "http_span");
  const headerContext = header.parent ?? header.link;
  add(headerContext?.traceId === http?.traceId ? undefined : headerContext, "header");
  return links;
}

/** The room type, never what the client sent: names that are not defined, and ids, stay out of span names and labels. */
function roomType(method: unknown, roomName: unknown): string | undefined {
  return typeof roomName === "string" && !byId(method) && Object.hasOwn(matchMaker.getAllHandlers(), roomName)
    ? roomName
    : undefined;
}

/** Core keeps rooms in a plain object: `hasOwnProperty` is an id that finds something. */
function roomById(method: unknown, roomId: unknown): Room | undefined {
  const found: unknown = byId(method) && typeof roomId === "string" ? matchMaker.getLocalRoomById(roomId) : undefined;
  return found instanceof Room ? found : undefined;
}

function byId(method: unknown): boolean {
  return method === "joinById" || method === "reconnect";
}

function activeSpan(): SpanContext | undefined {
  const active = trace.getSpanContext(context.active());
  return active && trace.isSpanContextValid(active) ? active : undefined;
}

function refusedOutcome({ refusal }: Journey): string {
  return (refusal && OUTCOME_OF[refusal]) ?? "error";
}
