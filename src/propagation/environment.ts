import type { SpanContext } from "@opentelemetry/api";
import { formatTraceparent, ownValue, parseTraceparent, type Extraction } from "./traceparent.ts";

/**
 * A copy of the environment for a child process that continues the context.
 *
 * @see https://opentelemetry.io/docs/specs/otel/context/env-carriers/
 */
export function environmentWithContext(env: NodeJS.ProcessEnv, spanContext: SpanContext): NodeJS.ProcessEnv {
  const { TRACESTATE: _older, ...rest } = env;
  const tracestate = spanContext.traceState?.serialize();
  return { ...rest, TRACEPARENT: formatTraceparent(spanContext), ...(tracestate && { TRACESTATE: tracestate }) };
}

/** The context of whoever started this process. */
export function contextFromEnvironment(env: NodeJS.ProcessEnv): Extraction {
  return parseTraceparent(ownValue(env, "TRACEPARENT"), ownValue(env, "TRACESTATE"));
}
