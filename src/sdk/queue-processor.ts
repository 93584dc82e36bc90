import { TraceFlags } from "@opentelemetry/api";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import type { SpanQueue } from "./span-queue.ts";

/** The game's own spans, and those of other instrumentations, leave by the same queue. */
export function queueProcessor(queue: SpanQueue): SpanProcessor {
  return {
    onStart() {},
    onEnd(span: ReadableSpan) {
      if (span.spanContext().traceFlags & TraceFlags.SAMPLED) {
        queue.add(span.instrumentationScope, span);
      }
    },
    forceFlush: () => queue.flush(),
    shutdown: async () => {},
  };
}
