import { LABELS } from "../conventions.ts";
import { now } from "../internal/clock.ts";
import type { Reading } from "../telling/instruments.ts";

export type ServerState = "starting" | "ready" | "allocated" | "draining" | "stopped";

const STATES: readonly ServerState[] = ["starting", "ready", "allocated", "draining", "stopped"];

/** The state that operators see, in metrics and in `/readyz`. */
export interface Status {
  readonly state: ServerState;
  /** Epoch milliseconds at which the state began. */
  readonly since: number;
  /** Why the server is not ready, where something failed. */
  readonly reason: string | undefined;
  /** Seconds by boot phase, as far as they are over. */
  readonly phases: Readonly<Record<string, number>>;
  enter(state: ServerState): void;
  fail(reason: string): void;
  phaseTook(phase: string, seconds: number): void;
  readonly reading: Reading;
}

export function createStatus(startedAt: number): Status {
  let state: ServerState = "starting";
  let since = startedAt;
  let reason: string | undefined;
  const phases: Record<string, number> = {};
  return {
    get state() {
      return state;
    },
    get since() {
      return since;
    },
    get reason() {
      return reason;
    },
    phases,
    enter(next) {
      // Nothing comes after draining but the stop: an allocation that arrives now must not make the server ready again.
      if (STATES.indexOf(next) >= STATES.indexOf("draining") || STATES.indexOf(state) < STATES.indexOf("draining")) {
        since = now();
        state = next;
        reason = undefined;
      }
    },
    fail(why) {
      reason = why;
    },
    phaseTook(phase, seconds) {
      phases[phase] = seconds;
    },
    *reading() {
      for (const known of STATES) {
        yield [{ [LABELS.state]: known }, known === state ? 1 : 0] as const;
      }
    },
  };
}
