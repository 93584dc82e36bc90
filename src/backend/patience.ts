import { setTimeout as wait } from "node:timers/promises";

const FIRST_PAUSE_MS = 100;
/** Agones answers in batches of 500 ms; a fleet that starts a server takes seconds. */
const LONGEST_PAUSE_MS = 2000;

/** How long an allocation may still take. */
export interface Patience {
  /** Aborted with the reason of the first of the given signals. */
  readonly signal: AbortSignal;
  /** Milliseconds until the deadline, at least 0. */
  left(): number;
  /** Waits, longer each time. False at once when the deadline would come first; true early when the signal aborts. */
  pause(): Promise<boolean>;
  /** Lets go of the signals: they may live as long as the program. */
  end(): void;
}

export function createPatience(deadline: number, signals: readonly AbortSignal[]): Patience {
  const until = performance.now() + deadline;
  const left = () => Math.max(0, until - performance.now());
  const { signal, letGo } = firstOf(signals);
  let longest = FIRST_PAUSE_MS;
  return {
    signal,
    left,
    async pause() {
      // Half of it by chance: matches that found no server together must not come back together.
      const pause = longest * (0.5 + Math.random() / 2);
      longest = Math.min(longest * 2, LONGEST_PAUSE_MS);
      if (pause >= left()) {
        return false;
      }
      await wait(pause, undefined, { signal }).catch(() => {});
      return true;
    },
    end: letGo,
  };
}

/** The promise, or a rejection with the signal's reason, whichever comes first. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) {
      abort();
    }
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** By hand: what `AbortSignal.any()` makes stays on a signal that lives long. */
function firstOf(signals: readonly AbortSignal[]): { readonly signal: AbortSignal; letGo(): void } {
  const first = new AbortController();
  const undos = signals.map((signal) => {
    const abort = () => first.abort(signal.reason);
    if (signal.aborted) {
      abort();
    }
    signal.addEventListener("abort", abort, { once: true });
    return () => signal.removeEventListener("abort", abort);
  });
  return { signal: first.signal, letGo: () => undos.forEach((undo) => undo()) };
}
