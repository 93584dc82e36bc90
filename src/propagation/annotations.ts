import type { SpanContext } from "@opentelemetry/api";
import { ownValue, parseTraceparent, withTraceFields, type Extraction } from "./traceparent.ts";

/**
 * Annotation keys that are looked at, in this order. There is no standard yet: ours; kubernetes-sigs/agent-sandbox (a
 * JSON map); KEP-5915; OpenKruiseGame.
 */
export const ANNOTATION_KEYS: readonly string[] = [
  "traceparent",
  "opentelemetry.io/trace-context",
  "tracing.k8s.io/traceparent",
  "game.kruise.io/traceparent",
];

/**
 * Annotation, or game property, in which the matchmaker says since when it has waited for a server, in whole epoch
 * milliseconds: a server that turned Ready later than that was a cold start. Without a dot, for which GameLift cannot search.
 */
export const REQUESTED_AT_KEY = "colyseus-otel/requested-at";

const EPOCH_MS = /^\d{1,15}$/;

/** Longer values are not parsed. */
const MAX_JSON = 2048;

/** A copy of the annotations that carries the context. */
export function annotationsWithContext(
  annotations: Readonly<Record<string, string>>,
  spanContext: SpanContext,
): Record<string, string> {
  return withTraceFields(annotations, spanContext);
}

/** Epoch milliseconds; undefined where the annotation is missing, or no number. */
export function requestedAtFromAnnotations(annotations: unknown): number | undefined {
  const value = ownValue(annotations, REQUESTED_AT_KEY);
  return typeof value === "string" && EPOCH_MS.test(value) ? Number(value) : undefined;
}

/** The first context that one of the keys holds, plain or as a JSON map `{"traceparent":"..","tracestate":".."}`. */
export function contextFromAnnotations(annotations: unknown, keys: readonly string[] = ANNOTATION_KEYS): Extraction {
  let found: Extraction = "absent";
  for (const key of keys) {
    const extraction = contextFromValue(ownValue(annotations, key), ownValue(annotations, "tracestate"));
    if (typeof extraction === "object") {
      return extraction;
    }
    found = extraction === "malformed" ? extraction : found;
  }
  return found;
}

function contextFromValue(value: unknown, tracestate: unknown): Extraction {
  if (typeof value !== "string" || !value.startsWith("{")) {
    return parseTraceparent(value, tracestate);
  }
  if (value.length > MAX_JSON) {
    return "malformed";
  }
  try {
    const map: unknown = JSON.parse(value);
    return parseTraceparent(ownValue(map, "traceparent"), ownValue(map, "tracestate"));
  } catch {
    return "malformed";
  }
}
