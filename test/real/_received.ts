import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { ReceivedSpan } from "../../demo/receiver/receiver.ts";
import { spanTree } from "../_telemetry.ts";

/** What players did as a tree, each span with the service that told it. */
export function playedTree(spans: readonly ReceivedSpan[]): string {
  return spanTree(spans.filter(({ name }) => !name.startsWith("gameserver.")).map(readable));
}

function readable({ resource, status, traceId, parentSpanId, ...span }: ReceivedSpan): ReadableSpan {
  // Dated back to where the session began, in whole milliseconds: before what began with it.
  const startMs = span.startMs - (span.name === "session.lifecycle" ? 1 : 0);
  return {
    name: `${String(resource["service.name"])}: ${span.name}`,
    attributes: span.attributes,
    spanContext: () => ({ traceId, spanId: span.spanId, traceFlags: 1 }),
    parentSpanContext: parentSpanId && { traceId, spanId: parentSpanId, traceFlags: 1 },
    links: span.links.map((link) => ({ context: link })),
    status: { code: status.code === "ERROR" ? 2 : 0 },
    startTime: [Math.floor(startMs / 1000), (startMs % 1000) * 1e6],
  } as unknown as ReadableSpan;
}
