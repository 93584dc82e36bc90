import type { ReceivedSpan } from "./receiver/spans.ts";

/** The players of `spans` by `player.id`, each with all spans of their traces, in the order of their logins. */
export function playersOf(spans: readonly ReceivedSpan[]): ReadonlyMap<string, readonly ReceivedSpan[]> {
  const owners = new Map<string, string>();
  // A trace is its root's, whoever else has strayed into it.
  for (const { traceId, attributes } of [...spans, ...spans.filter(({ name }) => name === "session.started")]) {
    const player = attributes["player.id"];
    if (typeof player === "string") owners.set(traceId, player);
  }
  const owned = spans.filter(({ traceId }) => owners.has(traceId)).toSorted((a, b) => a.startMs - b.startMs);
  return Map.groupBy(owned, ({ traceId }) => owners.get(traceId)!);
}
