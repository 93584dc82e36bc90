import type { Attributes, Meter, MeterProvider, Tracer, TracerProvider } from "@opentelemetry/api";
import { ERROR_TYPES, type MetricConvention } from "../conventions.ts";
import { now } from "../internal/clock.ts";
import { undoAll, type Undo } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import { createInstruments, observeReadings, type Reading } from "./instruments.ts";
import { createMeasures, measureNote } from "./measures.ts";
import { findMeter, findTracer, warnWithoutContextManager } from "./providers.ts";
import { closeSpan, openSpan } from "./spans.ts";
import type { Note, Step, Teller } from "./step.ts";

/** Boot steps that wait for a provider. Hooks of players wait for none: they call through until one is there. */
const MAX_WAITING = 1000;

export interface TellerOptions {
  readonly tracerProvider?: TracerProvider | undefined;
  readonly meterProvider?: MeterProvider | undefined;
  readonly readings: ReadonlyMap<MetricConvention, Reading>;
}

/** The standard lane: steps become live spans and records of the provider that the program has. */
export interface StandardTeller extends Teller {
  /** Looks for providers; what waited for one is told. True once both are there. */
  look(): boolean;
  /** Stops waiting for a provider: what waited is dropped. */
  giveUp(): void;
  /** Ends the steps that are open, as interrupted. */
  endOpen(): void;
  /** Tells nothing any more and takes its observable callbacks away. */
  stop(): void;
}

export function createTeller(options: TellerOptions): StandardTeller {
  const measureStep = createMeasures();
  const undos: Undo[] = [];
  const untoldSteps: Step[] = [];
  const unmeasured: (Step | Note)[] = [];
  const open = new Set<Step>();
  let waiting = true;
  let stopped = false;
  let tracer: Tracer | undefined;
  let record: ((metric: MetricConvention, value: number, labels: Attributes) => void) | undefined;

  function useTracer(found: Tracer): void {
    tracer = found;
    warnWithoutContextManager();
    for (const step of untoldSteps.splice(0)) {
      closeSpan(found, step);
    }
  }

  function useMeter(meter: Meter): void {
    record = createInstruments(meter);
    undos.push(...observeReadings(meter, options.readings));
    for (const observed of unmeasured.splice(0)) {
      measure(observed);
    }
  }

  function measure(observed: Step | Note): void {
    if (!record) {
      keep(unmeasured, observed);
    } else if ("note" in observed) {
      measureNote(observed, record);
    } else {
      measureStep(observed, record);
    }
  }

  function keep<T>(kept: T[], observed: T): void {
    if (waiting && kept.length < MAX_WAITING) {
      kept.push(observed);
    }
  }

  const teller: StandardTeller = {
    get active() {
      return !stopped && (tracer !== undefined || record !== undefined);
    },
    open(step) {
      if (tracer && !stopped) {
        open.add(step);
        guard(step.span.name, () => tracer && openSpan(tracer, step));
      }
    },
    close(step, end) {
      if (step.end !== undefined || stopped) {
        return;
      }
      step.end = Math.max(step.start, end ?? now());
      open.delete(step);
      guard(step.span.name, () => (tracer ? closeSpan(tracer, step) : keep(untoldSteps, step)));
      // On its own: a provider of spans that throws costs no metric.
      guard(step.span.name, () => measure(step));
    },
    note(observed) {
      if (!stopped) {
        guard(observed.note, () => measure(observed));
      }
    },
    look() {
      const foundTracer = tracer ? undefined : guard("the tracer provider", () => findTracer(options.tracerProvider));
      const foundMeter = record ? undefined : guard("the meter provider", () => findMeter(options.meterProvider));
      if (foundTracer) {
        useTracer(foundTracer);
      }
      if (foundMeter) {
        useMeter(foundMeter);
      }
      return tracer !== undefined && record !== undefined;
    },
    giveUp() {
      waiting = false;
      untoldSteps.length = 0;
      unmeasured.length = 0;
    },
    endOpen() {
      for (const step of open) {
        step.failure = { type: ERROR_TYPES.interrupted, expected: true, message: "telemetry was shut down" };
        teller.close(step);
      }
    },
    stop() {
      stopped = true;
      undoAll(undos);
    },
  };
  return teller;
}
