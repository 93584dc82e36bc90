import { metrics, trace, type MeterProvider, type TracerProvider } from "@opentelemetry/api";
import { announcedTelemetry } from "./announcement.ts";
import { settledWithin } from "../internal/deadline.ts";

export interface Providers {
  readonly tracerProvider: TracerProvider | undefined;
  readonly meterProvider: MeterProvider | undefined;
}

/** Has the SDK send what it holds, ours or the program's own. Takes at most `deadline` milliseconds and never rejects. */
export async function flushTelemetry({ tracerProvider, meterProvider }: Providers, deadline: number): Promise<void> {
  const announced = announcedTelemetry();
  if (announced) {
    await announced.flush(deadline);
    return;
  }
  const targets = [
    delegateOf(tracerProvider ?? trace.getTracerProvider()),
    meterProvider ?? metrics.getMeterProvider(),
  ];
  await settledWithin(deadline, Promise.allSettled(targets.filter(canFlush).map(flush)));
}

function delegateOf(provider: TracerProvider): unknown {
  return "getDelegate" in provider ? (provider as { getDelegate(): unknown }).getDelegate() : provider;
}

/** Async, so that a forceFlush that throws is a rejection like any other. */
async function flush(target: Flushable): Promise<void> {
  await target.forceFlush();
}

interface Flushable {
  forceFlush(): Promise<void>;
}

/** The API knows no flush (open-telemetry/opentelemetry-js#3310); every SDK provider has this method. */
function canFlush(target: unknown): target is Flushable {
  return typeof (target as Partial<Flushable> | undefined)?.forceFlush === "function";
}
