import type { Bar } from "./bar.ts";
import type { Plan } from "./plan.ts";
import type { Stage } from "./stage.ts";

/** What a part of the bench works with. */
export interface PartContext {
  readonly stage: Stage;
  readonly plan: Plan;
  readonly say: (line: string) => void;
}

export interface PartResult {
  readonly bars?: readonly Bar[];
  readonly curves?: readonly Curve[];
  readonly closing?: readonly Closing[];
  readonly added?: Added;
}

/** How a cost grows. */
export interface Curve {
  readonly name: string;
  readonly title: string;
  readonly x: string;
  readonly unit: string;
  readonly points: readonly { readonly x: number; readonly y: Readonly<Record<string, number>> }[];
}

/** A full room that ends at once. */
export interface Closing {
  readonly players: number;
  readonly expected: number;
  readonly arrived: number;
  /** Longest stall of the event loop, milliseconds. */
  readonly stall: number;
}

/** Microseconds a join and leave over bare, without sockets. Medians with 95 % intervals. */
export type Added = Readonly<Record<string, { readonly process: AddedCpu; readonly main: AddedCpu }>>;
export interface AddedCpu {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}
