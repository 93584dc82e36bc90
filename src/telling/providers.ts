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
import { announcedTelemetry } from "./announcement.ts";
import { warn } from "../internal/report.ts";
import { createInstruments, type Metering } from "./instruments.ts";
import { createSpanLane } from "./spans.ts";
import type { Lane } from "./step.ts";

/** The lane of our own SDK where the program has it as it comes, else live spans of the provider once that is there. */
export function findLane(given: TracerProvider | undefined): Lane | undefined {
  const fast = given ? undefined : announcedTelemetry()?.lane;
  if (fast) {
    return fast;
  }
  const tracer = findTracer(given);
  return tracer && createSpanLane(tracer);
}

/**
 * Our tracer once a provider is there. A `ProxyTracer` taken earlier may stay a no-op for ever when another copy of the
 * API registers the provider, so the proxy is asked whether it has a delegate.
 */
function findTracer(given: TracerProvider | undefined): Tracer | undefined {
  const provider = given ?? trace.getTracerProvider();
  if (hasDelegates(provider)) {
    return provider.getDelegateTracer(SCOPE.name, SCOPE.version);
  }
  return provider.getTracer(SCOPE.name, SCOPE.version);
}

/** The ledger of our own SDK, else instruments of the provider once that is there. */
export function findMetering(given: MeterProvider | undefined): Metering | undefined {
  const ledger = given ? undefined : announcedTelemetry()?.metering;
  if (ledger) {
    return ledger;
  }
  const meter = findMeter(given);
  return meter && createInstruments(meter);
}

/** Our meter once a provider is there: one that was taken earlier is a no-op for ever. */
function findMeter(given: MeterProvider | undefined): Meter | undefined {
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
