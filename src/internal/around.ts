import { context, type Context } from "@opentelemetry/api";

/** `ok` says which: `outcome` is what the call returned (or resolved to), or what it threw (or rejected with). */
export type Done = (ok: boolean, outcome: unknown) => void;

/**
 * Calls, and tells `done` how it came out: at once for a plain value, later for a promise. Value, promise and error are
 * the very objects that the call gave. `done` must not throw.
 *
 * A foreign thenable (a Knex query, a Deferred) may start its work at each `then`, so it is asked only once: the caller
 * gets a native promise for it instead.
 *
 * @param active the context in which it is called, where that is another one
 */
export function around<T>(call: () => T, done: Done, active?: Context): T {
  let result: T;
  try {
    result = active ? context.with(active, call) : call();
  } catch (error) {
    done(false, error);
    throw error;
  }
  if (!isThenable(result)) {
    done(true, result);
    return result;
  }
  const promise = result instanceof Promise ? result : Promise.resolve(result);
  promise.then(
    (value) => done(true, value),
    (error) => done(false, error),
  );
  return promise as T;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null && typeof value === "object" && typeof (value as { then?: unknown }).then === "function";
}
