import type { Seen } from "../../provider.ts";
import type { GameServerSelector } from "../options.ts";
import { fieldsOf, textsOf } from "./allocation.ts";

/** What a watch has shown of the servers that the selectors may match. */
export interface KnownServers {
  /** Whether one of them can be had. */
  readonly any: boolean;
  /** Reads a message: the change, if it shows one. Messages may be lost, repeated, or be no messages. */
  take(message: unknown): Seen | undefined;
  /** The watch begins anew, and shows all that there are once more. */
  restart(): void;
}

/** Of these a server that is seen for the first time tells nobody who waits for one. */
const NOT_COMING: ReadonlySet<string> = new Set(["Allocated", "Reserved", "Shutdown", "Error", "Unhealthy"]);

interface Known {
  readonly state: string;
  /** It can be had. */
  readonly ready: boolean;
}

export function knowServers(selectors: readonly GameServerSelector[]): KnownServers {
  let known = new Map<string, Known>();
  let before = new Map<string, Known>();
  return {
    get any() {
      return [...known.values()].some(({ ready }) => ready);
    },
    take(message) {
      const { type, object } = fieldsOf(message);
      const { metadata, status } = fieldsOf(object);
      const { name, labels } = fieldsOf(metadata);
      const { state } = fieldsOf(status);
      if (typeof name !== "string" || typeof state !== "string") {
        return undefined;
      }
      const matching = selectors.filter((selector) => matches(selector, textsOf(labels)));
      if (type === "DELETED" || (selectors.length > 0 && matching.length === 0)) {
        known.delete(name);
        before.delete(name);
        return undefined;
      }
      if (type !== "ADDED" && type !== "MODIFIED") {
        return undefined;
      }
      const wanted = selectors.length > 0 ? matching : [{}];
      const ready = wanted.some((selector) => (selector.state ?? "Ready") === state);
      const last = known.get(name) ?? before.get(name);
      known.set(name, { state, ready });
      const told = last ? last.state !== state || ready !== last.ready : ready || !NOT_COMING.has(state);
      return told ? { name, state, ready } : undefined;
    },
    restart() {
      // Of the last time only: names are made anew for ever.
      before = known;
      known = new Map();
    },
  };
}

function matches({ matchLabels = {} }: GameServerSelector, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
}

/** One label selector that lets through what any of the selectors matches; more may pass. */
export function labelSelectorOf(selectors: readonly GameServerSelector[]): string {
  const [first, ...others] = selectors.map(({ matchLabels = {} }) => matchLabels);
  return Object.keys(first ?? {})
    .filter((key) => others.every((labels) => Object.hasOwn(labels, key)))
    .map((key) => {
      const values = [...new Set(selectors.map(({ matchLabels }) => matchLabels![key]))];
      return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(",")})`;
    })
    .join(",");
}
