import type { SpanContext } from "@opentelemetry/api";
import { ownValue, parseTraceparent, withTraceFields, type Extraction } from "./traceparent.ts";

/** A copy of the headers that carries the context. */
export function headersWithContext(
  headers: Readonly<Record<string, string>>,
  spanContext: SpanContext,
): Record<string, string> {
  return withTraceFields(headers, spanContext);
}

/** The context in HTTP headers: fetch's `Headers` (Colyseus' matchmaking route) or Node's plain object. */
export function contextFromHeaders(headers: unknown): Extraction {
  try {
    if (isHeaders(headers)) {
      return parseTraceparent(headers.get("traceparent"), headers.get("tracestate"));
    }
  } catch {
    return "absent";
  }
  return parseTraceparent(ownValue(headers, "traceparent"), ownValue(headers, "tracestate"));
}

/** By shape: a polyfill's class is not the global one. */
function isHeaders(headers: unknown): headers is Headers {
  return typeof headers === "object" && headers !== null && typeof (headers as { get?: unknown }).get === "function";
}
