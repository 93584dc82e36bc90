import { setTimeout as wait } from "node:timers/promises";
import { isTransient } from "./game-lift-error.ts";

/** Calls until it is answered, or refused, or the time is over: then throws the last error. */
export async function persist<T>(call: () => Promise<T>, pause: number, until: number): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isTransient(error) || performance.now() + pause > until) {
        throw error;
      }
    }
    await wait(pause, undefined, { ref: false });
  }
}
