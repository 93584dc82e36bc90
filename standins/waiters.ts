export interface Waiters {
  /** Asks every open wait again: call it after each change. */
  changed(): void;
  /**
   * Resolves as soon as `predicate` holds.
   * @param timeout in milliseconds
   * @throws Error that says `what` was waited for and for how long; whatever the predicate throws
   */
  waitFor(predicate: () => boolean, timeout: number, what: string): Promise<void>;
  /** Rejects every open wait: nothing can change any more. */
  abandon(reason: string): void;
}

interface Waiter {
  readonly check: () => void;
  readonly fail: (reason: string) => void;
}

/** @param seen what to add to the message of a wait that failed: what was there instead */
export function createWaiters(seen: () => string): Waiters {
  const open = new Set<Waiter>();
  return {
    changed: () => {
      for (const waiter of open) waiter.check();
    },
    waitFor: (predicate, timeout, what) => wait(open, seen, predicate, timeout, what),
    abandon: (reason) => {
      for (const waiter of open) waiter.fail(reason);
    },
  };
}

function wait(
  open: Set<Waiter>,
  seen: () => string,
  predicate: () => boolean,
  timeout: number,
  what: string,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const close = (): void => {
    clearTimeout(timer);
    open.delete(waiter);
  };
  const waiter: Waiter = {
    check: () => {
      try {
        if (!predicate()) return;
        resolve();
      } catch (error) {
        reject(error);
      }
      close();
    },
    fail: (reason) => {
      reject(new Error(`${reason}, while waiting for ${what}; seen: ${seen()}`));
      close();
    },
  };
  const timer = setTimeout(() => waiter.fail(`gave up after ${timeout} ms`), timeout);
  open.add(waiter);
  waiter.check();
  return promise;
}
