/** What stands between the network and the sidecar: whether it reads at all, and how fast it answers. */
export interface Traffic {
  /** Runs what a request asks for; while the sidecar hangs, with its {@link resume}. */
  take(run: () => void): void;
  /** Runs what sends an answer, in order with all others. */
  answer(send: () => void): void;
  hang(): void;
  resume(): void;
  slow(milliseconds: number): void;
  /** Forgets what is held or late, and hangs no more: what the end of the process does. */
  clear(): void;
}

export function createTraffic(): Traffic {
  const held: (() => void)[] = [];
  const late: (() => void)[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let hung = false;
  let lateness = 0;
  let due = 0;
  const take = (run: () => void): void => void (hung ? held.push(run) : run());
  const resume = (): void => {
    hung = false;
    for (const run of held.splice(0)) take(run);
  };
  return {
    take,
    answer: (send) => {
      if (lateness === 0 && late.length === 0) return take(send);
      // Two timers may fire in either order: each sends the oldest answer and not its own.
      late.push(send);
      due = Math.max(due, performance.now() + lateness);
      const timer = setTimeout(() => {
        timers.delete(timer);
        take(late.shift() ?? (() => {}));
      }, due - performance.now());
      timers.add(timer);
    },
    hang: () => {
      hung = true;
    },
    resume,
    slow: (milliseconds) => {
      lateness = milliseconds;
    },
    clear: () => {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      late.length = held.length = 0;
      hung = false;
    },
  };
}
