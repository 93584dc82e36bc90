import type * as clock from "../src/internal/clock.ts";

let ahead = 0;

/** The plugin's clock, which stands still until a test puts it forward: for `vi.mock` of `src/internal/clock.ts`. */
export function simulated(real: typeof clock): typeof clock {
  const began = real.now();
  return { ...real, now: () => began + ahead };
}

/** Milliseconds that pass at once. */
export function pass(ms: number): void {
  ahead += ms;
}
