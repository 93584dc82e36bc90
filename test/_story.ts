import { STORY } from "../demo/expected.ts";
import type { ReceivedSpan } from "../demo/receiver/spans.ts";

/** A whole run as the receiver would give it: every span of the story, 10 ms after its parent, 50 ms long. */
export function wholeStory(): ReceivedSpan[] {
  const spans = new Map<string, ReceivedSpan>();
  for (const [position, expected] of STORY.entries()) {
    const parent = expected.parent === undefined ? undefined : spans.get(expected.parent);
    const linked = expected.link === undefined ? undefined : spans.get(expected.link);
    const startMs = parent ? parent.startMs + 10 : 1_795_224_134_000.25;
    spans.set(expected.name, {
      traceId: parent?.traceId ?? id(position, 32),
      spanId: id(position, 16),
      parentSpanId: parent?.spanId,
      name: expected.name,
      kind: "INTERNAL",
      startMs,
      endMs: startMs + 50,
      attributes: Object.fromEntries((expected.attributes ?? []).map((key) => [key, key])),
      status: { code: "UNSET", message: "" },
      links: linked ? [{ traceId: linked.traceId, spanId: linked.spanId, attributes: {} }] : [],
      events: [],
      resource: { "service.name": expected.service },
      scope: { name: "story", version: "" },
    });
  }
  return [...spans.values()];
}

function id(position: number, length: number): string {
  return (position + 1).toString(16).padStart(length, "0");
}
