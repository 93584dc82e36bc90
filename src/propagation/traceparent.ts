import { createTraceState, isSpanContextValid, TraceFlags, type SpanContext } from "@opentelemetry/api";

/** Version 00 is 55 characters; a later version may be longer, within reason. */
export const MAX_TRACEPARENT = 128;
/** W3C Trace Context: vendors must be able to propagate at least 512 characters. */
const MAX_TRACESTATE = 512;

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** What a carrier held: a context, nothing, or something that is no trace context. */
export type Extraction = SpanContext | "absent" | "malformed";

/**
 * Reads a W3C `traceparent` (and `tracestate`) of any origin. Never throws. Flags other than sampled are dropped.
 *
 * @see https://www.w3.org/TR/trace-context/
 */
export function parseTraceparent(traceparent: unknown, tracestate?: unknown): Extraction {
  if (traceparent === undefined || traceparent === null || traceparent === "") {
    return "absent";
  }
  if (typeof traceparent !== "string" || traceparent.length > MAX_TRACEPARENT) {
    return "malformed";
  }
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(traceparent) ?? [];
  if (!version || !traceId || !spanId || !flags || version === "ff" || (version === "00" && rest !== undefined)) {
    return "malformed";
  }
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const spanContext: SpanContext = { traceId, spanId, traceFlags, isRemote: true };
  if (!isSpanContextValid(spanContext)) {
    return "malformed";
  }
  if (typeof tracestate === "string" && tracestate !== "" && tracestate.length <= MAX_TRACESTATE) {
    spanContext.traceState = createTraceState(tracestate);
  }
  return spanContext;
}

/** The W3C `traceparent` of a context. */
export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, "0")}`;
}

/** A copy of the carrier with `traceparent`, and with `tracestate` where there is one: never that of an older context. */
export function withTraceFields<T extends object>(
  carrier: T,
  spanContext: SpanContext,
): Omit<T, "tracestate"> & { traceparent: string; tracestate?: string } {
  const { tracestate: _older, ...rest } = carrier as T & { tracestate?: unknown };
  const tracestate = spanContext.traceState?.serialize();
  return { ...rest, traceparent: formatTraceparent(spanContext), ...(tracestate && { tracestate }) };
}

/** A property that the object itself has and that can be read without running a getter. A proxy's trap may run; it may throw. */
export function ownValue(carrier: unknown, key: string): unknown {
  if (carrier === null || typeof carrier !== "object") {
    return undefined;
  }
  try {
    return Object.getOwnPropertyDescriptor(carrier, key)?.value;
  } catch {
    return undefined;
  }
}
