import type { MeterProvider, TracerProvider } from "@opentelemetry/api";
import { ERROR_TYPES, type MetricConvention } from "../conventions.ts";
import { now } from "../internal/clock.ts";
import { undoAll, type Undo } from "../internal/patch.ts";
import { guard, reportFault } from "../internal/report.ts";
import { createSlots } from "../internal/slots.ts";
import type { Metering, Reading } from "./instruments.ts";
import { createMeasures, createNoteMeasures, type Record } from "./measures.ts";
import { findLane, findMetering, warnWithoutContextManager } from "./providers.ts";
import type { Lane, Note, Step, Teller } from "./step.ts";

/** Boot steps that wait for a provider. Hooks of players wait for none: they call through until one is there. */
const MAX_WAITING = 1000;

export interface TellerOptions {
  readonly tracerProvider?: TracerProvider | undefined;
  readonly meterProvider?: MeterProvider | undefined;
  readonly readings: ReadonlyMap<MetricConvention, Reading>;
}

/** Tells steps and notes by the lane and the metering that it finds. */
export interface SearchingTeller extends Teller {
  /** Looks for providers; what waited for one is told. True once both are there. */
  look(): boolean;
  /** Stops waiting for a provider: what waited is dropped. */
  giveUp(): void;
  /** Ends the steps that are open, as interrupted. */
  endOpen(): void;
  /** Tells nothing any more and takes its observable callbacks away. */
  stop(): void;
}

export function createTeller(options: TellerOptions): SearchingTeller {
  const measureStep = createMeasures();
  const measureNote = createNoteMeasures();
  const undos: Undo[] = [];
  const untoldSteps: Step[] = [];
  const unmeasured: (Step | Note)[] = [];
  const open = createSlots<Step>();
  let waiting = true;
  let stopped = false;
  let lane: Lane | undefined;
  let record: Record | undefined;

  function useLane(found: Lane): void {
    lane = found;
    warnWithoutContextManager();
    for (const step of untoldSteps.splice(0)) {
      found.close(step);
    }
  }

  function useMetering(metering: Metering): void {
    record = metering.record;
    undos.push(metering.observe(options.readings));
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

  // try, not guard(): a closure less for each of thirty calls a join.
  function measureSafely(observed: Step | Note, where: string): void {
    try {
      measure(observed);
    } catch (error) {
      reportFault(where, error);
    }
  }

  function tell(step: Step): void {
    if (lane) {
      lane.close(step);
    } else {
      keep(untoldSteps, step);
    }
  }

  function keep<T>(kept: T[], observed: T): void {
    if (waiting && kept.length < MAX_WAITING) {
      kept.push(observed);
    }
  }

  const teller: SearchingTeller = {
    get active() {
      return !stopped && (lane !== undefined || record !== undefined);
    },
    open(step) {
      if (lane && !stopped) {
        open.add(step);
        try {
          lane.open(step);
        } catch (error) {
          reportFault(step.span.name, error);
        }
      }
    },
    close(step, end) {
      if (step.end !== undefined || stopped) {
        return;
      }
      step.end = Math.max(step.start, end ?? now());
      open.delete(step);
      try {
        tell(step);
      } catch (error) {
        reportFault(step.span.name, error);
      }
      // On its own: a provider of spans that throws costs no metric.
      measureSafely(step, step.span.name);
    },
    note(observed) {
      if (!stopped) {
        measureSafely(observed, observed.note);
      }
    },
    look() {
      const foundLane = lane ? undefined : guard("the tracer provider", () => findLane(options.tracerProvider));
      const foundMetering = record ? undefined : guard("the meter provider", () => findMetering(options.meterProvider));
      if (foundLane) {
        useLane(foundLane);
      }
      if (foundMetering) {
        useMetering(foundMetering);
      }
      return lane !== undefined && record !== undefined;
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
