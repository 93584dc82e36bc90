import {
  context,
  createContextKey,
  createNoopMeter,
  metrics,
  ROOT_CONTEXT,
  trace,
  type Meter,
  type MeterProvider,
  type Tracer,
  type TracerProvider,
} from "@opentelemetry/api";
import { SCOPE } from "../conventions.ts";
import { warn } from "../internal/report.ts";

/**
 * Our tracer once a provider is there. A `ProxyTracer` taken earlier may stay a no-op for ever when another copy of the
 * API registers the provider, so the proxy is asked whether it has a delegate.
 */
export function findTracer(given: TracerProvider | undefined): Tracer | undefined {
  const provider = given ?? trace.getTracerProvider();
  if (hasDelegates(provider)) {
    return provider.getDelegateTracer(SCOPE.name, SCOPE.version);
  }
  return provider.getTracer(SCOPE.name, SCOPE.version);
}

/** Our meter once a provider is there: one that was taken earlier is a no-op for ever. */
export function findMeter(given: MeterProvider | undefined): Meter | undefined {
  const meter = (given ?? metrics.getMeterProvider()).getMeter(SCOPE.name, SCOPE.version);
  return meter.constructor === createNoopMeter().constructor ? undefined : meter;
}

/** The SDK's TracerProvider 3 registers no context manager any more: without one the spans of a player fall apart. */
export function warnWithoutContextManager(): void {
  const probe = ROOT_CONTEXT.setValue(createContextKey("colyseus-otel.probe"), true);
  if (context.with(probe, () => context.active()) !== probe) {
    warn(
      "context manager",
      "the OpenTelemetry SDK of this program has no context manager, so the spans of a request do not find each other: " +
        "context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())",
    );
  }
}

interface ProxyProvider {
  getDelegateTracer(name: string, version?: string): Tracer | undefined;
}

function hasDelegates(provider: object): provider is ProxyProvider {
  return "getDelegateTracer" in provider;
}
