import { ATTRIBUTES, ERROR_TYPES, EVENTS, SPANS } from "../conventions.ts";
import { now } from "../internal/clock.ts";
import { guard } from "../internal/report.ts";
import { newStep, type Failure, type Step, type StepEvent } from "../telling/step.ts";
import { createAlarm, type PauseOptions } from "./patience.ts";
import type { AllocationRequest, ProviderCore, Refusal, Seen, ServerWatch } from "./provider.ts";

/** More changes than anybody reads. */
const MAX_EVENTS = 64;

/** `provision.wait_for_ready`: from the first answer that no server is Ready until one is had, or given up. */
export interface Waiting {
  readonly begun: boolean;
  /** A call is about to be made. */
  called(): void;
  /** Begins at the first refusal for want of a Ready server. How to pause before the next call. */
  refused(refusal: Refusal): PauseOptions;
  end(failure: Failure | undefined): void;
}

export function createWaiting(core: ProviderCore, request: AllocationRequest, parent: Step): Waiting {
  const events: StepEvent[] = [];
  let step: Step | undefined;
  let watch: ServerWatch | undefined;
  let looks = 0;
  const alarm = createAlarm(() => watch?.quiet ?? false);

  function keep(state: string, server?: string): void {
    if (events.length < MAX_EVENTS) {
      const named = server !== undefined && { [ATTRIBUTES.agonesServerName.key]: server };
      const attributes = { [ATTRIBUTES.state.key]: state, ...named };
      events.push({ name: EVENTS.serverStatePoll.name, at: now(), attributes });
    }
  }

  function saw({ name, state, ready }: Seen): void {
    looks += 1;
    keep(state, name);
    if (ready) {
      alarm.ring();
    }
  }

  return {
    get begun() {
      return step !== undefined;
    },
    called() {
      looks += step ? 1 : 0;
      alarm.reset();
    },
    refused({ outcome, again, state = outcome, retryAfter }) {
      const noneReady = again && outcome === ERROR_TYPES.readyTimeout;
      if (step) {
        keep(state);
      } else if (noneReady) {
        step = newStep(SPANS.provisionWait, { parent, events });
        core.teller.open(step);
        watch = guard("the watch of the servers", () => core.watch?.(request, saw));
      }
      return { least: retryAfter, alarm: noneReady && watch ? alarm : undefined };
    },
    end(failure) {
      watch?.close();
      if (step) {
        step.failure = failure && { type: failure.type, expected: true };
        step.result[ATTRIBUTES.pollCount.key] = looks;
        step.result[ATTRIBUTES.waitMs.key] = now() - step.start;
        core.teller.close(step);
      }
    },
  };
}
