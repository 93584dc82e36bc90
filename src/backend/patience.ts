const FIRST_PAUSE_MS = 100;
/** Agones answers in batches of 500 ms; a fleet that starts a server takes seconds. */
const LONGEST_PAUSE_MS = 2000;
/** A watch may be dead and not know it. */
const LONGEST_QUIET_MS = 5000;
/** All that wait are woken together: they come back one after the other. */
const SPREAD_MS = 50;

/** How long an allocation may still take. */
export interface Patience {
  /** Aborted with the reason of the first of the given signals. */
  readonly signal: AbortSignal;
  /** Milliseconds until the deadline, at least 0. */
  left(): number;
  /**
   * Waits, longer each time. False when the deadline comes first, without an alarm at once; true early when the signal
   * aborts or the alarm rings.
   */
  pause(options?: PauseOptions): Promise<boolean>;
  /** Lets go of the signals: they may live as long as the program. */
  end(): void;
}

export interface PauseOptions {
  /** Milliseconds that it lasts at least. */
  readonly least?: number | undefined;
  readonly alarm?: Alarm | undefined;
}

/** Ends a pause early. One that rings before the pause ends it as well. */
export interface Alarm {
  readonly rung: boolean;
  /** Before it rings a call is of no use: the pause goes on, up to 5 s. */
  readonly quiet: boolean;
  ring(): void;
  /** What rang before is over. */
  reset(): void;
  /** Calls back at the next ring. */
  onRing: (() => void) | undefined;
}

export function createPatience(deadline: number, signals: readonly AbortSignal[]): Patience {
  const until = performance.now() + deadline;
  const left = () => Math.max(0, until - performance.now());
  const { signal, letGo } = firstOf(signals);
  let longest = FIRST_PAUSE_MS;
  return {
    signal,
    left,
    async pause({ least = 0, alarm } = {}) {
      // Half of it by chance: matches that found no server together must not come back together.
      const pause = Math.max(least, longest * (0.5 + Math.random() / 2));
      longest = Math.min(longest * 2, LONGEST_PAUSE_MS);
      if (alarm) {
        await pauseUntil(alarm, pause, left, signal);
        // The allocator may see the server some moments after us.
        longest = alarm.rung ? FIRST_PAUSE_MS : longest;
        return left() > 0;
      }
      if (pause >= left()) {
        return false;
      }
      await sleep(pause, signal);
      return true;
    },
    end: letGo,
  };
}

export function createAlarm(quiet: () => boolean): Alarm {
  let rung = false;
  const alarm: Alarm = {
    get rung() {
      return rung;
    },
    get quiet() {
      return quiet();
    },
    ring() {
      rung = true;
      alarm.onRing?.();
    },
    reset() {
      rung = false;
    },
    onRing: undefined,
  };
  return alarm;
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

async function pauseUntil(alarm: Alarm, pause: number, left: () => number, signal: AbortSignal): Promise<void> {
  const longest = performance.now() + LONGEST_QUIET_MS;
  do {
    await sleep(Math.min(pause, left()), signal, alarm);
  } while (!alarm.rung && !signal.aborted && alarm.quiet && left() > 0 && performance.now() < longest);
  if (alarm.rung) {
    await sleep(Math.random() * SPREAD_MS, signal);
  }
}

/** Until then, or until the signal aborts or the alarm rings. */
function sleep(ms: number, signal: AbortSignal, alarm?: Alarm): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      if (alarm) {
        alarm.onRing = undefined;
      }
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener("abort", wake);
    if (alarm) {
      alarm.onRing = wake;
    }
    if (signal.aborted || alarm?.rung) {
      wake();
    }
  });
}

/** By hand: what `AbortSignal.any()` makes stays on a signal that lives long. */
export function firstOf(signals: readonly AbortSignal[]): FirstOf {
  const first = new AbortController();
  const undos = signals.map((signal) => {
    const abort = () => first.abort(signal.reason);
    if (signal.aborted) {
      abort();
    }
    signal.addEventListener("abort", abort, { once: true });
    return () => signal.removeEventListener("abort", abort);
  });
  return {
    signal: first.signal,
    abort: (reason) => first.abort(reason),
    letGo: () => undos.forEach((undo) => undo()),
  };
}

interface FirstOf {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  letGo(): void;
}
