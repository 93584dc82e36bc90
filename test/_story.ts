import type { ExpectedSpan } from "../demo/expected-span.ts";
import { CAST, type Cast, type Part } from "../demo/expected.ts";
import type { ReceivedSpan } from "../demo/receiver/spans.ts";

/**
 * A whole run as the receiver would give it: every span of every story, 50 ms long, each 10 ms after the one before it.
 * The first player's come first.
 */
export function wholeStory(cast: Cast = CAST): ReceivedSpan[] {
  const told: ReceivedSpan[] = [];
  for (const [at, part] of cast.entries()) told.push(...played(part, at, told));
  return told;
}

function played({ player, story }: Part, at: number, before: readonly ReceivedSpan[]): ReceivedSpan[] {
  const named = new Map<string, ReceivedSpan>();
  const told: ReceivedSpan[] = [];
  for (const [position, expected] of story.entries()) {
    const parent = expected.parent === undefined ? undefined : named.get(expected.parent);
    const linked = named.get(expected.link ?? "") ?? before.find(({ name }) => name === expected.link);
    const startMs = 1_795_224_134_000.25 + 10 * position;
    const span: ReceivedSpan = {
      traceId: parent?.traceId ?? id(100 * at + position, 32),
      spanId: id(100 * at + position, 16),
      parentSpanId: parent?.spanId,
      name: expected.name,
      kind: "INTERNAL",
      startMs,
      endMs: startMs + 50,
      attributes: attributesOf(expected, player),
      status: { code: "UNSET", message: "" },
      links: linked ? [{ traceId: linked.traceId, spanId: linked.spanId, attributes: {} }] : [],
      events: [],
      resource: { "service.name": expected.service },
      scope: { name: "story", version: "" },
    };
    told.push(span);
    const { as = span.name } = expected;
    if (!named.has(as)) named.set(as, span);
  }
  return told;
}

function attributesOf({ attributes = [], values = {} }: ExpectedSpan, player: string): ReceivedSpan["attributes"] {
  const given = attributes.map((key) => [key, key === "player.id" ? player : key]);
  return Object.fromEntries([...given, ...Object.entries(values).filter(([, value]) => value !== null)]);
}

function id(position: number, length: number): string {
  return (position + 1).toString(16).padStart(length, "0");
}
