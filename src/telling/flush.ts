import { trace, type TracerProvider } from "@opentelemetry/api";
import { announcedTelemetry } from "../internal/announcement.ts";
import { settledWithin } from "../internal/deadline.ts";

/** Has the SDK send what it holds, ours or the program's own. Takes at most `deadline` milliseconds and never rejects. */
export async function flushTelemetry(given: TracerProvider | undefined, deadline: number): Promise<void> {
  const announced = announcedTelemetry();
  if (announced) {
    await announced.flush(deadline);
    return;
  }
  const provider = given ?? trace.getTracerProvider();
  const target: unknown = "getDelegate" in provider ? (provider as { getDelegate(): unknown }).getDelegate() : provider;
  if (canFlush(target)) {
    await settledWithin(deadline, flush(target));
  }
}

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
