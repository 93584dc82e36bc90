import type { SpanContext } from "@opentelemetry/api";
import { REQUESTED_AT_KEY } from "./annotations.ts";
import { formatTraceparent } from "./traceparent.ts";

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
    [REQUESTED_AT_KEY]: String(Math.floor(requestedAt)),
    ...(spanContext && { traceparent: formatTraceparent(spanContext) }),
  };
}
