import { estimate, type Estimate } from "./statistics.ts";

/** One round: everybody measured once, in random order. `again` is bare a second time, by a run that differs in nothing. */
export type Round = Readonly<Record<string, number>>;

export interface BarSpec {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  /** What is compared with the target: ours / bare, ours - bare in `unit`, or ours alone. */
  readonly judged: "ratio" | "difference" | "value";
  /** The most that the design allows. */
  readonly target: number;
  /** Whose bar it is, of those that were measured. */
  readonly subject?: string;
}

/** A row of results.json. Medians over the rounds, with their 95 % intervals. */
export interface Bar {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  readonly judged: BarSpec["judged"];
  readonly target: number;
  readonly rounds: number;
  readonly ours: number;
  /** Null where bare has none: nobody scrapes it. */
  readonly bare: number | null;
  readonly ratio: number | null;
  readonly difference: number | null;
  readonly holds: boolean;
  /** What `ratio` or `difference` comes to between one bare and the other. */
  readonly noise: number | null;
  readonly spread: { readonly figure: Interval; readonly noise: Interval | null };
  readonly peers: Readonly<Record<string, Peer>>;
  /** The same by real servers and clients, where the bar is judged by a figure that is more precise. */
  readonly live?: Bar;
}

/** Somebody else, measured in the same rounds. `figure` is what would be compared with the target. */
export interface Peer {
  readonly value: number;
  readonly figure: number;
  readonly spread: Interval;
}

export type Interval = readonly [low: number, high: number];

/**
 * Ratios and differences are taken within a round, whose parts ran seconds apart: what the machine does besides changes
 * over minutes, and cancels out.
 */
export function judge(spec: BarSpec, rounds: readonly Round[], live?: Bar): Bar {
  const { name, what, unit, judged, target, subject = "ours" } = spec;
  const over = (of: (round: Round) => number) => estimate(rounds.map(of));
  const bared = rounds.every((round) => round["bare"] !== undefined);
  const paired = rounds.every((round) => round["again"] !== undefined);
  const figure = over((round) => figureOf(spec, round, subject));
  const noise = bared && paired ? over((round) => noiseOf(spec, round)) : undefined;
  const others = Object.keys(rounds[0] ?? {}).filter((key) => key !== subject && key !== "bare" && key !== "again");
  return {
    name,
    what,
    unit,
    judged,
    target,
    rounds: rounds.length,
    ours: rounded(over((round) => round[subject]!).median),
    bare: bared ? rounded(over(bareOf).median) : null,
    ratio: bared ? rounded(over((round) => round[subject]! / bareOf(round)).median) : null,
    difference: bared ? rounded(over((round) => round[subject]! - bareOf(round)).median) : null,
    holds: rounded(figure.median) <= target,
    noise: noise ? rounded(noise.median) : null,
    spread: { figure: interval(figure), noise: noise ? interval(noise) : null },
    peers: Object.fromEntries(others.map((key) => [key, peerOf(spec, rounds, key)])),
    ...(live && { live }),
  };
}

/** What is compared with the target. */
export function figureIn(bar: Bar): number {
  return (bar.judged === "value" ? bar.ours : bar[bar.judged]) ?? bar.ours;
}

/** Rounds with these keys only. */
export function only(rounds: readonly Round[], keys: readonly string[]): Round[] {
  return rounds.map((round) => Object.fromEntries(Object.entries(round).filter(([key]) => keys.includes(key))));
}

/** The mean of the bare runs of a round. */
export function bareOf({ bare, again }: Round): number {
  return again === undefined ? bare! : (bare! + again) / 2;
}

function peerOf(spec: BarSpec, rounds: readonly Round[], key: string): Peer {
  const figure = estimate(rounds.map((round) => figureOf(spec, round, key)));
  return {
    value: rounded(estimate(rounds.map((round) => round[key]!)).median),
    figure: rounded(figure.median),
    spread: interval(figure),
  };
}

function figureOf({ judged }: BarSpec, round: Round, key: string): number {
  const value = round[key]!;
  switch (judged) {
    case "ratio":
      return value / bareOf(round);
    case "difference":
      return value - bareOf(round);
    default:
      return value;
  }
}

function noiseOf({ judged }: BarSpec, { bare, again }: Round): number {
  return judged === "ratio" ? bare! / again! : bare! - again!;
}

function interval({ low, high }: Estimate): Interval {
  return [rounded(low), rounded(high)];
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
