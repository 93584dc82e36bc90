import { describe, warn } from "../../internal/report.ts";

/** What the user's events say: which id to look at now. */
export interface News {
  /** Whether they still come. */
  readonly flowing: boolean;
  /** Waits until there is news of the id, at most `milliseconds`; the signal ends it. */
  wait(id: string, milliseconds: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** News may be faster than the answer that gives the id. */
const MAX_EARLY = 1000;

export function createNews(events: AsyncIterable<string> | undefined): News {
  const early = new Set<string>();
  const waiting = new Map<string, () => void>();
  let source = events?.[Symbol.asyncIterator]();
  let closed = false;

  function tell(id: string): void {
    const wake = waiting.get(id);
    if (wake) {
      wake();
      return;
    }
    early.add(id);
    const [oldest] = early;
    if (early.size > MAX_EARLY) {
      early.delete(oldest!);
    }
  }

  async function listen(from: AsyncIterator<string>): Promise<void> {
    let how = "ended";
    try {
      for (let next = await from.next(); !next.done; next = await from.next()) {
        tell(next.value);
      }
    } catch (error) {
      how = `failed: ${describe(error)}`;
    }
    source = undefined;
    if (!closed) {
      warn("gamelift events", `gamelift.events ${how}; game sessions are polled from now on`);
      waiting.forEach((wake) => wake());
    }
  }

  if (source) {
    void listen(source);
  }
  return {
    get flowing() {
      return source !== undefined;
    },
    wait: (id, milliseconds, signal) =>
      new Promise((resolve) => {
        if (early.delete(id) || signal.aborted) {
          resolve();
          return;
        }
        const wake = () => {
          clearTimeout(timer);
          waiting.delete(id);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        const timer = setTimeout(wake, milliseconds);
        waiting.set(id, wake);
        signal.addEventListener("abort", wake, { once: true });
      }),
    close() {
      closed = true;
      // Not awaited: a generator that waits for its next event answers only then.
      void end(source).catch(() => {});
    },
  };
}

/** Async, because the iterator is the user's: it may throw, or promise nothing. */
async function end(source: AsyncIterator<string> | undefined): Promise<void> {
  await source?.return?.();
}
