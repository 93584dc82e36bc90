import type { IncomingMessage } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import { describe, warn } from "../../../internal/report.ts";
import { firstOf } from "../../patience.ts";
import type { Seen, ServerWatch } from "../../provider.ts";
import type { GameServerSelector } from "../options.ts";
import { fieldsOf } from "./allocation.ts";
import { ApiError, type Api } from "./api.ts";
import { knowServers, labelSelectorOf, type KnownServers } from "./servers.ts";

type Watcher = (selectors: readonly GameServerSelector[], saw: (seen: Seen) => void) => ServerWatch;

interface WatchOptions {
  readonly api: Api;
  readonly namespace: string;
  /** For which the API keeps a watch open. */
  readonly seconds?: number;
}

const SECONDS = 60;
/** A connection that outlives its watch by so much is dead. */
const GRACE = 1.1;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** Refusals that may be over soon: a token that is being renewed, a forgotten version, too many requests. */
const PASSING: ReadonlySet<number> = new Set([401, 408, 410, 429]);

/**
 * Watches GameServers while somebody waits for one. Those who wait for the same selectors share a watch: a watch begins
 * with every server that there is, some 10 KB each.
 */
export function createWatcher(options: WatchOptions): Watcher {
  const shared = new Map<string, { readonly watch: ServerWatch; readonly listeners: Set<(seen: Seen) => void> }>();
  return (selectors, saw) => {
    const key = JSON.stringify(selectors);
    let one = shared.get(key);
    if (!one) {
      const listeners = new Set<(seen: Seen) => void>();
      const watch = openWatch(options, selectors, (seen) => listeners.forEach((listener) => listener(seen)));
      one = { watch, listeners };
      shared.set(key, one);
    }
    const { watch, listeners } = one;
    listeners.add(saw);
    return {
      get quiet() {
        return watch.quiet;
      },
      close() {
        listeners.delete(saw);
        if (listeners.size === 0 && shared.get(key)?.listeners === listeners) {
          shared.delete(key);
          watch.close();
        }
      },
    };
  };
}

/** Opened again and again, with growing pauses where it does not last, until it is closed or refused. */
function openWatch(
  { api, namespace, seconds = SECONDS }: WatchOptions,
  selectors: readonly GameServerSelector[],
  saw: (seen: Seen) => void,
): ServerWatch {
  const path = pathOf(namespace, selectors, seconds);
  const closing = new AbortController();
  const servers = knowServers(selectors);
  let connected = false;

  async function once(): Promise<void> {
    const { signal, abort, letGo } = firstOf([closing.signal]);
    const dead = setTimeout(() => abort(new Error("the watch is dead")), seconds * 1000 * GRACE);
    try {
      const response = await api.request(path, signal);
      servers.restart();
      connected = true;
      await readAll(response, servers, saw);
    } finally {
      connected = false;
      clearTimeout(dead);
      letGo();
    }
  }

  // In nobody's trace: it is shared, and lasts.
  void context.with(ROOT_CONTEXT, () => again(once, seconds * 500, closing.signal));
  return {
    get quiet() {
      return connected && !servers.any;
    },
    close: () => closing.abort(),
  };
}

async function again(once: () => Promise<void>, lastingMs: number, signal: AbortSignal): Promise<void> {
  for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const began = performance.now();
    const error: unknown = await once().catch((reason: unknown) => reason);
    const { status, retryAfter = 0 } = error instanceof ApiError ? error : {};
    if (status !== undefined && status < 500 && !PASSING.has(status)) {
      const instead = "allocations that find no server Ready ask again with pauses";
      warn("agones:watch", `GameServers cannot be watched, ${instead}: ${describe(error)}`);
      return;
    }
    pause = performance.now() - began > lastingMs ? FIRST_PAUSE_MS : pause;
    const least = Math.min(retryAfter, LONGEST_PAUSE_MS);
    await wait(Math.max(least, pause * (0.5 + Math.random() / 2)), undefined, { signal }).catch(() => {});
  }
}

/** Until the connection ends, or a message says that the watch has: 410, where the API has forgotten its version. */
async function readAll(response: IncomingMessage, servers: KnownServers, saw: (seen: Seen) => void): Promise<void> {
  for await (const line of linesOf(response)) {
    const message = parse(line);
    if (fieldsOf(message)["type"] === "ERROR") {
      return;
    }
    const seen = servers.take(message);
    if (seen) {
      saw(seen);
    }
  }
}

async function* linesOf(response: IncomingMessage): AsyncIterable<string> {
  let rest = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/**
 * Version 0: the API's cache answers, with all servers there are and then what changes. No list before it, so none to be
 * out of date.
 */
function pathOf(namespace: string, selectors: readonly GameServerSelector[], seconds: number): string {
  const labelSelector = labelSelectorOf(selectors);
  const query = new URLSearchParams({
    watch: "true",
    resourceVersion: "0",
    allowWatchBookmarks: "true",
    timeoutSeconds: String(seconds),
    ...(labelSelector && { labelSelector }),
  });
  return `/apis/agones.dev/v1/namespaces/${encodeURIComponent(namespace)}/gameservers?${query.toString()}`;
}
