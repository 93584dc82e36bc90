import type { Client, Room } from "@colyseus/core";
import { LABELS, METRICS } from "../conventions.ts";
import { patch, undoAll, type Method, type Undo } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import type { Reading } from "../telling/tally.ts";
import { typeOf, type Flow, type RoomsObserver, type Traffic } from "./observer.ts";

type Flows = ReturnType<Traffic["of"]>;

/** Where messages leave. Each client of a broadcast or a patch is a message of its own. */
const SENDERS = ["raw", "rawUnreliable"] as const;

export function createTraffic(): Traffic {
  const byRoom = new Map<string, Flows>();
  const undos: Undo[] = [];
  const met = new WeakSet<object>();
  const sentTo = new WeakMap<object, Flow>();
  const counted = (original: Method): Method =>
    function raw(this: object, message: unknown, options: unknown, done: unknown) {
      const flow = sentTo.get(this);
      if (flow) {
        count(flow, message);
      }
      return original.call(this, message, options, done);
    };
  const of = (room: string): Flows => {
    let flows = byRoom.get(room);
    if (!flows) {
      flows = { received: { messages: 0, bytes: 0 }, sent: { messages: 0, bytes: 0 } };
      byRoom.set(room, flows);
    }
    return flows;
  };
  return {
    of,
    meet(room, client) {
      sentTo.set(client, of(typeOf(room)).sent);
      // The transport's own class: nobody knows it before its first client.
      const klass = Object.getPrototypeOf(client) as object;
      if (!met.has(klass)) {
        met.add(klass);
        undos.push(...SENDERS.map((key) => patch(definerOf(klass, key), key, counted)));
      }
    },
    readings: [
      [METRICS.messages, readingOf(byRoom, "messages")],
      [METRICS.networkIo, readingOf(byRoom, "bytes")],
    ],
    undo: () => undoAll(undos),
  };
}

/** `Room._onJoin`: the client is known here, and nothing was sent to it yet. Without counts the very same function. */
export function meetSenders({ traffic }: RoomsObserver): (original: Method) => Method {
  return (original) =>
    traffic
      ? function _onJoin(this: Room, ...args: unknown[]) {
          guard("messages", () => traffic.meet(this, args[0] as Client));
          return original.apply(this, args);
        }
      : original;
}

/** `Room._onMessage`, which each message of a player passes once: inputs, pings and the goodbye as well. */
export function countReceived(traffic: Traffic): (original: Method) => Method {
  return (original) =>
    function _onMessage(this: Room, client: unknown, message: unknown, binary: unknown) {
      count(traffic.of(typeOf(this)).received, message);
      return original.call(this, client, message, binary);
    };
}

function readingOf(byRoom: ReadonlyMap<string, Flows>, unit: keyof Flow): Reading {
  const { direction, room: label } = LABELS;
  return function* readFlows() {
    for (const [room, { received, sent }] of byRoom) {
      yield [{ [direction]: "received", [label]: room }, received[unit]] as const;
      yield [{ [direction]: "sent", [label]: room }, sent[unit]] as const;
    }
  };
}

/** The class that defines the method; where none does, patch() finds nothing there. */
function definerOf(klass: object, key: string): object {
  for (let at: object | null = klass; at; at = Object.getPrototypeOf(at) as object | null) {
    if (Object.hasOwn(at, key)) {
      return at;
    }
  }
  return klass;
}

function count(flow: Flow, message: unknown): void {
  flow.messages += 1;
  // Uint8Array, Buffer or ArrayBuffer, as the transport has it.
  flow.bytes += (message as ArrayBuffer | undefined)?.byteLength ?? 0;
}
