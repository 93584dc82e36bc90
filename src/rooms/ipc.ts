import { context, ROOT_CONTEXT, trace, type Context, type SpanContext } from "@opentelemetry/api";
import { matchMaker, Room } from "@colyseus/core";
import { shadow, undoAll, type Method, type Undo } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import {
  carrierFromIpcMessage,
  ipcMessageWithCarrier,
  refusalFromIpcAnswer,
  type IpcCarrier,
  type IpcJourney,
} from "../propagation/ipc.ts";
import type { Registry } from "../sessions/registry.ts";
import { journeyOf, newJourney, REFUSALS, withJourney, withQueued, type Journey, type Queued } from "./journey.ts";
import type { RoomsObserver } from "./observer.ts";

/** Core's IpcProtocol.SUCCESS, which it does not export. */
const SUCCESS = 0;

type Listener = (...args: unknown[]) => unknown;

interface Request {
  /** The player's, where there is one. */
  readonly journey: Journey | undefined;
  /** What is asked for. Core names nothing where it asks for a room. */
  method: unknown;
}

/** Requests that wait for another process, by the channel of the answer. */
type Asked = Map<unknown, Request>;

/** What is subscribed in place of a listener, by its channel: a game may have one listener for several. */
type Wrapped = WeakMap<Listener, Map<unknown, Listener>>;

/**
 * Requests from one Colyseus process to another go through its presence: `[method, requestId, args]` to `p:<process>` or
 * `$<room>`, and the answer `[code, data]` to `ipc:<requestId>`. Requests take our carrier along as a fourth element,
 * answers the refusal as a third: core reads neither. What the game itself publishes passes untouched.
 */
export function tracePresence(observer: RoomsObserver): Undo {
  const asked: Asked = new Map();
  const wrapped: Wrapped = new WeakMap();
  const { presence } = matchMaker;
  const undos = [
    shadow(presence, "publish", tracePublish(observer, asked)),
    shadow(presence, "subscribe", traceSubscribe(asked, wrapped)),
    shadow(presence, "unsubscribe", traceUnsubscribe(asked, wrapped)),
  ];
  return () => undoAll(undos);
}

function tracePublish({ registry }: RoomsObserver, asked: Asked): (original: Method) => Method {
  return (original) =>
    function publish(this: unknown, channel: unknown, message: unknown, ...rest: unknown[]) {
      const sent = Array.isArray(message) && guard("publish", messageFor, registry, asked, channel, message);
      return original.call(this, channel, sent || message, ...rest);
    };
}

function messageFor(registry: Registry, asked: Asked, channel: unknown, message: unknown[]): unknown[] {
  const active = context.active();
  const journey = journeyOf(active);
  const [method, requestId] = message;
  const request = typeof requestId === "string" ? asked.get(`ipc:${requestId}`) : undefined;
  if (request) {
    request.method = method;
    const parent = trace.getSpanContext(active);
    const queued = queuedAmong(registry, message[2]);
    return parent || queued.size > 0
      ? ipcMessageWithCarrier(message, { parent, journey: journey && carried(journey), queued })
      : message;
  }
  // The answer to a request that came with a journey.
  if (journey && journey.answer === channel) {
    journey.over = true;
    return journey.refusal === undefined ? message : [...message, { refusal: journey.refusal }];
  }
  return message;
}

function carried({ player, claimed, locale }: Journey): IpcJourney {
  return { player, token: claimed?.token, root: claimed?.root, signed: claimed?.signed === true, locale };
}

/** Players of this process's queues for whom a seat in a match room is asked. */
function queuedAmong({ queued }: Registry, args: unknown): Map<string, SpanContext> {
  const found = new Map<string, SpanContext>();
  const ids: unknown = queued.size > 0 && Array.isArray(args) ? args[0] : undefined;
  for (const id of Array.isArray(ids) ? ids : [ids]) {
    const root = queued.get(id as string)?.session.root;
    if (root) {
      found.set(id as string, root);
    }
  }
  return found;
}

function traceSubscribe(asked: Asked, wrapped: Wrapped): (original: Method) => Method {
  return (original) =>
    function subscribe(this: unknown, channel: unknown, listener: Listener, ...rest: unknown[]) {
      const traced = guard("subscribe", listenerFor, asked, channel, listener);
      if (traced) {
        const byChannel = wrapped.get(listener) ?? new Map<unknown, Listener>();
        wrapped.set(listener, byChannel.set(channel, traced));
      }
      return original.call(this, channel, traced ?? listener, ...rest);
    };
}

/** Undefined for topics of the game's own. */
function listenerFor(asked: Asked, channel: unknown, listener: Listener): Listener | undefined {
  if (typeof channel !== "string") {
    return undefined;
  }
  if (channel.startsWith("ipc:")) {
    asked.set(channel, { journey: journeyOf(context.active()), method: undefined });
    return (message, ...rest) => {
      guard("ipc answer", noteAnswer, asked, channel, message);
      return listener(message, ...rest);
    };
  }
  if (channel === `p:${matchMaker.processId}` || isRoom(channel)) {
    return (message, ...rest) =>
      context.with(guard("ipc request", contextOf, message) ?? ROOT_CONTEXT, () => listener(message, ...rest));
  }
  return undefined;
}

function noteAnswer(asked: Asked, channel: string, message: unknown): void {
  const { journey, method } = asked.get(channel) ?? {};
  asked.delete(channel);
  if (!journey) {
    return;
  }
  const refusal = REFUSALS.find((one) => one === refusalFromIpcAnswer(message));
  const [code, data] = message as readonly unknown[];
  if (refusal) {
    journey.refusal = refusal;
  } else if (method === "_reserveSeat" && data === false) {
    // A process without us says no more than this.
    journey.refusal = "room_full";
  } else if (method === undefined && code !== SUCCESS) {
    // No room was made. Why an earlier try got no seat does not count any more.
    journey.refusal = undefined;
  }
}

/** Core registers a room before it listens for it. */
function isRoom(channel: string): boolean {
  return channel.startsWith("$") && (matchMaker.getLocalRoomById(channel.slice(1)) as unknown) instanceof Room;
}

/** The context in which another process's request is answered. A process without us sends none. */
function contextOf(message: unknown): Context {
  const { parent, journey, queued }: IpcCarrier = carrierFromIpcMessage(message);
  let answering = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
  if (journey) {
    const { token, root, signed, player, locale } = journey;
    const answer = `ipc:${String((message as unknown[])[1])}`;
    answering = withJourney(answering, newJourney(undefined, player, token && { token, root, signed }, locale, answer));
  }
  return queued.size > 0 ? withQueued(answering, queued satisfies Queued) : answering;
}

function traceUnsubscribe(asked: Asked, wrapped: Wrapped): (original: Method) => Method {
  return (original) =>
    function unsubscribe(this: unknown, channel: unknown, listener?: Listener, ...rest: unknown[]) {
      guard("unsubscribe", noteTimeout, asked, channel);
      return original.call(this, channel, listener && (wrapped.get(listener)?.get(channel) ?? listener), ...rest);
    };
}

/** Core gives up a request that nobody has answered in time, and tells its player that the room is full. */
function noteTimeout(asked: Asked, channel: unknown): void {
  const journey = asked.get(channel)?.journey;
  if (asked.delete(channel) && journey) {
    journey.refusal = "ipc_timeout";
  }
}
