import type { SpanContext } from "@opentelemetry/api";
import { formatTraceparent } from "./traceparent.ts";

/** What `colyseus-otel/requested-at` is among Agones' annotations. GameLift cannot search for keys with dots. */
const GAME_REQUESTED_AT_KEY = "colyseus-otel-requested-at";

/** GameLift's limits: a tracestate (512) does not fit, and is left out. */
export const GAME_PROPERTY_LIMITS = { items: 16, key: 32, value: 96 } as const;

/** A copy of the properties that carries the context, and since when the matchmaker has waited. */
export function gamePropertiesWithContext(
  properties: Readonly<Record<string, string>>,
  requestedAt: number,
  spanContext: SpanContext | undefined,
): Record<string, string> {
  const { traceparent: _older, ...rest } = properties;
  return {
    ...rest,
    [GAME_REQUESTED_AT_KEY]: String(Math.floor(requestedAt)),
    ...(spanContext && { traceparent: formatTraceparent(spanContext) }),
  };
}
