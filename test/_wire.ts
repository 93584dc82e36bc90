import type { LocalPresence } from "@colyseus/core";
import { AsyncLocalStorage } from "node:async_hooks";

export type ProcessName = "a" | "b";

export interface Message {
  readonly from: ProcessName;
  readonly topic: string;
  /** As JSON has it. */
  readonly message: unknown;
}

/** What processes say to each other. Not with `onePresence`. */
export interface Wire {
  readonly said: Message[];
  /** Messages of these topics never arrive. */
  readonly swallowed: Set<string>;
}

/**
 * One process' connection to what they share. As with Redis, what arrives is a copy made of JSON, and arrives outside of
 * the sender's async context: LocalPresence calls its subscribers inside it, where no trace needs to be carried.
 */
export function line(hub: LocalPresence, from: ProcessName, { said, swallowed }: Wire): LocalPresence {
  const outside = AsyncLocalStorage.snapshot();
  // No LocalPresence of its own: as Redis', it is one that processes share.
  const own = bound(hub);
  return Object.assign(own, {
    publish(topic: string, data: unknown = false) {
      const message: unknown = JSON.parse(JSON.stringify(data));
      said.push({ from, topic, message });
      if (!swallowed.has(topic)) {
        outside(() => setImmediate(() => hub.publish(topic, message)));
      }
      return own;
    },
  });
}

function bound(hub: LocalPresence): LocalPresence {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(hub)).filter((name) => name !== "constructor");
  const methods = names.map((name) => [name, (...args: unknown[]) => call(hub, name, args)] as const);
  return Object.assign({}, hub, Object.fromEntries(methods));
}

function call(hub: LocalPresence, name: string, args: unknown[]): unknown {
  return (hub[name as "publish"] as (...given: unknown[]) => unknown).apply(hub, args);
}
