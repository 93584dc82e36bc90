import type { ServerResponse } from "node:http";
import type { GameServer } from "./game-server.ts";
import { failure, resourceOf, type Reply } from "./kubernetes-objects.ts";
import { byFields, byLabels } from "./kubernetes-selectors.ts";
import type { Change, Store } from "./kubernetes-store.ts";
import { lineOf } from "./kubernetes-store.ts";

/**
 * - `refuse`: 403; `busy`: 429; `gone`: 410, of a list at once, of a watch as its first message.
 * - `hang`: takes the request and never answers.
 * - `cut`: drops the connection at the next change, instead of telling it.
 * - `lose`: tells no change.
 * - `repeat`: tells everything three times; `garbage`: lines between them that are none.
 */
export type WatchFault = "refuse" | "busy" | "gone" | "hang" | "cut" | "lose" | "repeat" | "garbage";

const BOOKMARK_MS = 500;
const GONE = "too old resource version: 1 (2)";

type Matching = (server: GameServer) => boolean;

/** What both list and watch may be refused for. Undefined for no refusal. */
export function refusalOf(query: URLSearchParams, fault: WatchFault | undefined): Reply | undefined {
  if (fault === "refuse") return failure(403, "Forbidden", 'gameservers.agones.dev is forbidden: User "matchmaker"');
  if (fault === "busy") return failure(429, "TooManyRequests", "try again later", { "retry-after": "1" });
  try {
    matching(query);
    return undefined;
  } catch (error) {
    return failure(400, "BadRequest", (error as Error).message);
  }
}

export function listOf(store: Store, query: URLSearchParams, fault: WatchFault | undefined): Reply {
  if (fault === "gone") return failure(410, "Expired", GONE);
  const matches = matching(query);
  const items = store.all().filter(({ server }) => matches(server));
  const body = {
    apiVersion: "agones.dev/v1",
    kind: "GameServerList",
    metadata: { resourceVersion: String(store.version()) },
    items: items.map(({ server, version }) => resourceOf(server, version)),
  };
  return { status: 200, body };
}

/** Without a version, or with 0, a watch begins with all that there are. */
export function watch(store: Store, query: URLSearchParams, fault: WatchFault | undefined, out: ServerResponse): void {
  const matches = matching(query);
  const times = fault === "repeat" ? 3 : 1;
  const send = (change: Change): void => {
    const seen = typeAsSeen(change, matches(change.server), shown);
    if (!seen) return;
    if (fault === "garbage") out.write('\n{"type":\n[]\nnull\n{"type":"MODIFIED","object":{"metadata":[]}}\n');
    for (let time = 0; time < times; time += 1) out.write(lineOf({ ...change, type: seen }));
  };
  const from = Number(query.get("resourceVersion") ?? 0);
  const past = from === 0 ? store.all().map((change) => ({ ...change, type: "ADDED" as const })) : store.since(from);
  // Who goes on from a version has been shown what there was then.
  const added = new Set(past?.filter(({ type }) => type === "ADDED").map(({ server }) => server.name));
  const shown = new Set(store.all().flatMap(({ server: { name } }) => (from === 0 || added.has(name) ? [] : [name])));
  out.writeHead(200, { "content-type": "application/json" });
  out.flushHeaders();
  if (fault === "gone" || !past) {
    out.end(`${JSON.stringify({ type: "ERROR", object: failure(410, "Expired", GONE).body })}\n`);
    return;
  }
  past.forEach(send);
  const unlisten = store.listen((change) => {
    if (fault === "cut") out.destroy();
    else if (fault !== "lose") send(change);
  });
  const bookmarks = setInterval(() => out.write(bookmark(store)), BOOKMARK_MS);
  if (query.get("allowWatchBookmarks") !== "true") clearInterval(bookmarks);
  const over = setTimeout(() => out.end(), Number(query.get("timeoutSeconds") ?? 1800) * 1000);
  out.once("close", () => {
    unlisten();
    clearInterval(bookmarks);
    clearTimeout(over);
  });
}

/** For a watch with a selector an object comes and goes as it begins and ceases to match. */
function typeAsSeen({ type, server }: Change, matches: boolean, shown: Set<string>): Change["type"] | undefined {
  const known = shown.has(server.name);
  if (type === "DELETED" || !matches) {
    shown.delete(server.name);
    return known || type === "DELETED" ? "DELETED" : undefined;
  }
  shown.add(server.name);
  return known ? "MODIFIED" : "ADDED";
}

function bookmark(store: Store): string {
  const metadata = { resourceVersion: String(store.version()), creationTimestamp: null };
  return `${JSON.stringify({ type: "BOOKMARK", object: { apiVersion: "agones.dev/v1", kind: "GameServer", metadata } })}\n`;
}

function matching(query: URLSearchParams): Matching {
  const [labels, fields] = [byLabels(query.get("labelSelector") ?? ""), byFields(query.get("fieldSelector") ?? "")];
  return (server) => labels(server) && fields(server);
}
