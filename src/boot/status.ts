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
  /** Why nobody can be sent here: the boot failed, or the orchestrator cannot be reached. */
  readonly reason: string | undefined;
  /** Seconds by boot phase, as far as they are over. */
  readonly phases: Readonly<Record<string, number>>;
  enter(state: ServerState): void;
  fail(reason: string): void;
  /** What is wrong for the time being; undefined when it is over. */
  suffer(reason: string | undefined): void;
  phaseTook(phase: string, seconds: number): void;
  readonly reading: Reading;
  readonly readiness: Reading;
}

/** Players can be sent here. */
export function isServing({ state, reason }: Pick<Status, "state" | "reason">): boolean {
  return (state === "ready" || state === "allocated") && reason === undefined;
}

export function createStatus(startedAt: number): Status {
  let state: ServerState = "starting";
  let since = startedAt;
  let failure: string | undefined;
  let trouble: string | undefined;
  const phases: Record<string, number> = {};
  return {
    get state() {
      return state;
    },
    get since() {
      return since;
    },
    get reason() {
      return failure ?? trouble;
    },
    phases,
    enter(next) {
      // Nothing comes after draining but the stop: an allocation that arrives now must not make the server ready again.
      if (STATES.indexOf(next) >= STATES.indexOf("draining") || STATES.indexOf(state) < STATES.indexOf("draining")) {
        since = now();
        state = next;
        failure = undefined;
      }
    },
    fail(reason) {
      failure = reason;
    },
    suffer(reason) {
      trouble = reason;
    },
    phaseTook(phase, seconds) {
      phases[phase] = seconds;
    },
    *reading() {
      for (const known of STATES) {
        yield [{ [LABELS.state]: known }, known === state ? 1 : 0] as const;
      }
    },
    *readiness() {
      yield [{}, isServing({ state, reason: failure ?? trouble }) ? 1 : 0] as const;
    },
  };
}
