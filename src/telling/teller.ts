import type { Attributes, Meter, MeterProvider, Tracer, TracerProvider } from "@opentelemetry/api";
import type { MetricConvention } from "../conventions.ts";
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
  /** Tells nothing any more and takes its observable callbacks away. */
  stop(): void;
}

export function createTeller(options: TellerOptions): StandardTeller {
  const measureStep = createMeasures();
  const undos: Undo[] = [];
  const untoldSteps: Step[] = [];
  const unmeasured: (Step | Note)[] = [];
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

  return {
    get active() {
      return !stopped && (tracer !== undefined || record !== undefined);
    },
    open(step) {
      if (tracer && !stopped) {
        openSpan(tracer, step);
      }
    },
    close(step, end) {
      if (step.end !== undefined || stopped) {
        return;
      }
      step.end = Math.max(step.start, end ?? now());
      guard(step.span.name, () => {
        if (tracer) {
          closeSpan(tracer, step);
        } else {
          keep(untoldSteps, step);
        }
        measure(step);
      });
    },
    note(observed) {
      if (!stopped) {
        guard(observed.note, () => measure(observed));
      }
    },
    look() {
      const foundTracer = tracer ? undefined : findTracer(options.tracerProvider);
      const foundMeter = record ? undefined : findMeter(options.meterProvider);
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
    stop() {
      stopped = true;
      undoAll(undos);
    },
  };
}
