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
  return parseTraceparent(valueOf(headers, "traceparent"), valueOf(headers, "tracestate"));
}

/** The language that a browser or client prefers: `de` of `de-AT,de;q=0.9,en;q=0.8`. */
export function languageFromHeaders(headers: unknown): string | undefined {
  const accepted = valueOf(headers, "accept-language");
  return typeof accepted === "string" ? LANGUAGE.exec(accepted)?.[1]?.toLowerCase() : undefined;
}

/** ISO 639, two letters or three, at the very beginning. */
const LANGUAGE = /^([a-z]{2,3})(?=$|[-,;])/i;

function valueOf(headers: unknown, name: string): unknown {
  try {
    return isHeaders(headers) ? headers.get(name) : ownValue(headers, name);
  } catch {
    return undefined;
  }
}

/** By shape: a polyfill's class is not the global one. */
function isHeaders(headers: unknown): headers is Headers {
  return typeof headers === "object" && headers !== null && typeof (headers as { get?: unknown }).get === "function";
}
