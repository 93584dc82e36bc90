import { setTimeout as pause } from "node:timers/promises";

export interface WaitOptions {
  /** Milliseconds. */
  readonly timeout: number;
  /** Gives up at once, with the signal's reason: the process asked is gone. */
  readonly unless?: AbortSignal;
}

/**
 * Asks until the answer is not undefined.
 * @throws Error that says what was waited for and for how long
 */
export async function poll<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined>,
  { timeout, unless }: WaitOptions,
): Promise<Answer> {
  const deadline = performance.now() + timeout;
  while (performance.now() < deadline) {
    unless?.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    await pause(INTERVAL);
  }
  throw gaveUp(what, timeout);
}

/**
 * The promise's own outcome, if it comes in time.
 * @throws Error that says what was waited for and for how long
 */
export async function within<Result>(
  what: string,
  promise: Promise<Result>,
  { timeout, unless }: WaitOptions,
): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const gone = (): void => late.reject(unless?.reason as Error);
  const timer = setTimeout(() => late.reject(gaveUp(what, timeout)), timeout);
  unless?.addEventListener("abort", gone, { once: true });
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
    unless?.removeEventListener("abort", gone);
  }
}

function gaveUp(what: string, timeout: number): Error {
  return new Error(`gave up after ${timeout} ms, while waiting for ${what}`);
}

const INTERVAL = 25;
