import { estimate, type Estimate } from "./statistics.ts";

/** One round: everybody measured once, in random order. `bare` twice, by two runs that differ in nothing. */
export interface Round {
  readonly ours: number;
  readonly bare: readonly [number, number];
}

export interface BarSpec {
  readonly name: "boot" | "join";
  readonly what: string;
  readonly unit: "ms" | "us";
  /** Highest ratio to bare that the design allows. */
  readonly target: number;
}

/** A row of results.json. */
export interface Bar extends BarSpec {
  readonly rounds: number;
  /** Medians, in `unit`. */
  readonly ours: number;
  readonly bare: number;
  /** Median over the rounds of ours / mean of the two bare. */
  readonly ratio: number;
  readonly holds: boolean;
  /** Median over the rounds of one bare / the other. */
  readonly noise: number;
  /** 95 % intervals of the medians. */
  readonly spread: Readonly<Record<"ours" | "bare" | "ratio" | "noise", readonly [low: number, high: number]>>;
}

export interface Measured {
  readonly spec: BarSpec;
  readonly rounds: readonly Round[];
}

/**
 * Ratios are taken within a round, whose parts ran seconds apart: what the machine does besides changes over minutes, and
 * cancels out.
 */
export function judge({ spec, rounds }: Measured): Bar {
  const estimates = {
    ours: estimate(rounds.map(({ ours }) => ours)),
    bare: estimate(rounds.flatMap(({ bare }) => bare)),
    ratio: estimate(rounds.map(({ ours, bare: [one, other] }) => ours / ((one + other) / 2))),
    noise: estimate(rounds.map(({ bare: [one, other] }) => one / other)),
  };
  const ratio = rounded(estimates.ratio.median);
  return {
    ...spec,
    rounds: rounds.length,
    ours: rounded(estimates.ours.median),
    bare: rounded(estimates.bare.median),
    ratio,
    holds: ratio <= spec.target,
    noise: rounded(estimates.noise.median),
    spread: {
      ours: interval(estimates.ours),
      bare: interval(estimates.bare),
      ratio: interval(estimates.ratio),
      noise: interval(estimates.noise),
    },
  };
}

/** One line for the terminal while it runs. */
export function roundLine(unit: string, { ours, bare: [one, other] }: Round): string {
  const figures = [ours, one, other].map((value) => value.toFixed(0));
  return `ours ${figures[0]} ${unit}, bare ${figures[1]} and ${figures[2]} ${unit}`;
}

function interval({ low, high }: Estimate): readonly [number, number] {
  return [rounded(low), rounded(high)];
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
