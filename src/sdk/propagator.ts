import type { TextMapPropagator } from "@opentelemetry/api";
import { listFrom } from "./environment.ts";

const KNOWN = ["tracecontext", "baggage", "none"] as const;

/** For the game's own requests to other services, by OTEL_PROPAGATORS. What players send is read by our carriers alone. */
export async function buildPropagator(env: NodeJS.ProcessEnv): Promise<TextMapPropagator> {
  const names = listFrom(env, "OTEL_PROPAGATORS", KNOWN, ["tracecontext", "baggage"]);
  const { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } = await import("@opentelemetry/core");
  const propagators: TextMapPropagator[] = [];
  if (names.includes("tracecontext")) {
    propagators.push(new W3CTraceContextPropagator());
  }
  if (names.includes("baggage")) {
    propagators.push(new W3CBaggagePropagator());
  }
  return new CompositePropagator({ propagators });
}
