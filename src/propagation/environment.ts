import type { SpanContext } from "@opentelemetry/api";
import { ownValue, parseTraceparent, traceFields, type Extraction } from "./traceparent.ts";

/**
 * A copy of the environment for a child process that continues the context.
 *
 * @see https://opentelemetry.io/docs/specs/otel/context/env-carriers/
 */
export function environmentWithContext(env: NodeJS.ProcessEnv, spanContext: SpanContext): NodeJS.ProcessEnv {
  const { traceparent, tracestate } = traceFields(spanContext);
  return tracestate ? { ...env, TRACEPARENT: traceparent, TRACESTATE: tracestate } : { ...env, TRACEPARENT: traceparent };
}

/** The context of whoever started this process. */
export function contextFromEnvironment(env: NodeJS.ProcessEnv): Extraction {
  return parseTraceparent(ownValue(env, "TRACEPARENT"), ownValue(env, "TRACESTATE"));
}
