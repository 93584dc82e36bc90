/** What stands between the network and the sidecar: whether it reads at all, and how fast it answers. */
export interface Traffic {
  /** Runs what a request asks for; while the sidecar hangs, with its {@link resume}. */
  take(run: () => void): void;
  /** Runs what sends an answer, in order with all others. */
  answer(send: () => void): void;
  hang(): void;
  resume(): void;
  slow(milliseconds: number): void;
  /** How much waits for {@link resume}. */
  held(): number;
  /** Forgets what is held or late, and hangs no more: what the end of the process does. */
  stop(): void;
}

export function createTraffic(): Traffic {
  const requests: (() => void)[] = [];
  const answers: (() => void)[] = [];
  const late: (() => void)[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let hung = false;
  let lateness = 0;
  let due = 0;
  const pass = (run: () => void, held: (() => void)[]): void => void (hung ? held.push(run) : run());
  return {
    take: (run) => pass(run, requests),
    answer: (send) => {
      if (lateness === 0 && late.length === 0) return pass(send, answers);
      // Two timers may fire in either order: each sends the oldest answer and not its own.
      late.push(send);
      due = Math.max(due, performance.now() + lateness);
      const timer = setTimeout(() => {
        timers.delete(timer);
        for (const send of late.splice(0, 1)) pass(send, answers);
      }, due - performance.now());
      timers.add(timer);
    },
    hang: () => {
      hung = true;
    },
    resume: () => {
      hung = false;
      // Answers first: what the requests change comes after what was to be told already.
      for (const held of [answers, requests]) for (const run of held.splice(0)) pass(run, held);
    },
    held: () => requests.length + answers.length,
    slow: (milliseconds) => {
      lateness = milliseconds;
    },
    stop: () => {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      for (const kept of [requests, answers, late]) kept.length = 0;
      hung = false;
    },
  };
}
