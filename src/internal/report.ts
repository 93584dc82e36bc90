/** Same message at most once a minute: a broken hook on a busy server must not fill the disk. */
const QUIET_MS = 60_000;
const MAX_REMEMBERED = 200;

const lastSaid = new Map<string, { at: number; withheld: number }>();

/**
 * One line on stderr, at most once a minute per `topic`; the next line says how many were withheld.
 * stderr and not `diag`: without a diag logger nobody would ever read it.
 */
export function warn(topic: string, message: string): void {
  const at = performance.now();
  const said = lastSaid.get(topic);
  if (said && at - said.at < QUIET_MS) {
    said.withheld += 1;
    return;
  }
  if (lastSaid.size >= MAX_REMEMBERED) {
    lastSaid.clear();
  }
  const withheld = said?.withheld ? ` (and ${said.withheld} more in the last minute)` : "";
  lastSaid.set(topic, { at, withheld: 0 });
  console.warn(`colyseus-otel: ${message}${withheld}`);
}

/**
 * Runs our own code beside the game's: a fault in it is reported and is never the game's. Where a join passes, hand in the
 * arguments: a closure each time is 60 bytes, thirty times a join.
 */
export function guard<A extends unknown[], T>(where: string, observe: (...args: A) => T, ...args: A): T | undefined {
  try {
    return observe(...args);
  } catch (error) {
    reportFault(where, error);
    return undefined;
  }
}

/** A fault of ours, which is never the game's. */
export function reportFault(where: string, error: unknown): void {
  warn(`bug:${where}`, `telemetry failed in ${where}, the game goes on without: ${describe(error)}`);
}

/** An error in one line. Tolerates errors whose getters throw. */
export function describe(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}`.replaceAll(/\s+/g, " ") : String(error);
  } catch {
    return "an error that cannot be printed";
  }
}
