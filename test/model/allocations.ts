/** One look at the GameServer, as an allocation or a controller left it. */
export interface Look {
  readonly version: number;
  readonly state: string;
  /** `agones.dev/last-allocated`, in epoch milliseconds. */
  readonly stamp: number | undefined;
  /** The span id of the context that the annotations carry. */
  readonly context: string | undefined;
  /** Since when somebody waits, by the annotations: for ever, or from far in the future on. */
  readonly asked: "always" | "never yet" | undefined;
}

/** What must be told of an allocation. */
export interface Told {
  readonly at: number;
  readonly past: boolean;
  readonly start: "warm" | "cold" | "reused";
  readonly parent: string | undefined;
  readonly link: string | undefined;
}

/**
 * What a process must tell that was given these looks, in this order: each allocation that they show, once. Unlike the code
 * it keeps no state and looks back over all that was seen.
 */
export function tellingOf(looks: readonly Look[]): Told[] {
  return looks.flatMap((look, index) => {
    const earlier = looks.slice(0, index);
    return look.stamp !== undefined && isFirstSight(look, earlier) ? [telling(look, earlier, look.stamp)] : [];
  });
}

function isFirstSight({ stamp, state }: Look, earlier: readonly Look[]): boolean {
  // What was over when the process began was another process's.
  return earlier.length === 0 ? state === "Allocated" : earlier.every((one) => one.stamp !== stamp);
}

function telling(look: Look, earlier: readonly Look[], at: number): Told {
  const late = isLate(look, earlier);
  const { context } = look;
  const stale = late || earlier.some((one) => one.context === context);
  const others = earlier.flatMap(({ stamp }) => stamp ?? []);
  const reused = late ? others.some((stamp) => stamp < at) : others.length > 0;
  return {
    at,
    past: late || look.state !== "Allocated",
    start: reused ? "reused" : waited(look, earlier, late) ? "cold" : "warm",
    parent: stale ? undefined : context,
    link: stale ? context : undefined,
  };
}

/** Whoever asked was waiting before the server turned Ready, or nobody saw it Ready. */
function waited({ asked }: Look, earlier: readonly Look[], late: boolean): boolean {
  return asked === "always" || (asked === "never yet" && (late || !wasSeenReady(earlier)));
}

/** Since the allocation before: the change was seen, and not only what it led to. */
function wasSeenReady(earlier: readonly Look[]): boolean {
  const fresh = earlier.filter((one, index) => !isLate(one, earlier.slice(0, index)));
  const last = fresh.findLastIndex((one) => {
    const index = earlier.indexOf(one);
    return one.stamp !== undefined && isFirstSight(one, earlier.slice(0, index));
  });
  return fresh.some((one, index) => {
    const before = fresh[index - 1];
    return index >= last && before !== undefined && turnsReady(before.state, one.state);
  });
}

function turnsReady(from: string, to: string): boolean {
  return to === "Ready" ? from !== "Ready" : to === "Reserved" && !["Ready", "Reserved", "Allocated"].includes(from);
}

function isLate({ version }: Look, earlier: readonly Look[]): boolean {
  return earlier.some((one) => one.version > version);
}
