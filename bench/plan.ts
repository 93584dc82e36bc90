/** How much of each is measured. */
export interface Plan {
  readonly quick: boolean;
  readonly boot: { readonly rounds: number; readonly warmUp: number };
  readonly stall: { readonly rounds: number; readonly watchMs: number };
  readonly micro: MicroPlan;
  readonly join: { readonly rounds: number; readonly joins: number; readonly warmUpBlocks: number };
  readonly heap: { readonly rounds: number; readonly sessions: readonly number[]; readonly cycles: number };
  readonly tick: TickPlan;
  readonly scrape: { readonly rounds: number; readonly sizes: readonly ScrapeSize[]; readonly scrapes: number };
  readonly growth: {
    readonly blocks: number;
    readonly joins: number;
    readonly concurrency: readonly number[];
    readonly rooms: readonly number[];
    readonly awaySeconds: readonly number[];
  };
}

export interface MicroPlan {
  /** Each with new processes. */
  readonly rounds: number;
  readonly blocks: number;
  readonly joins: number;
  /** V8 goes on optimizing for some thousand joins. */
  readonly warmUp: number;
}

export interface TickPlan {
  readonly rounds: number;
  readonly rooms: number;
  readonly warmUpMs: number;
  readonly windows: number;
  readonly windowMs: number;
}

export interface ScrapeSize {
  readonly rooms: number;
  readonly players: number;
}

const FULL: Plan = {
  quick: false,
  boot: { rounds: 16, warmUp: 2 },
  stall: { rounds: 6, watchMs: 5000 },
  micro: { rounds: 8, blocks: 3, joins: 1500, warmUp: 8000 },
  join: { rounds: 8, joins: 400, warmUpBlocks: 6 },
  heap: { rounds: 3, sessions: [100, 1000, 10_000], cycles: 3 },
  tick: { rounds: 5, rooms: 1000, warmUpMs: 3000, windows: 2, windowMs: 4000 },
  scrape: {
    rounds: 3,
    sizes: [
      { rooms: 10, players: 100 },
      { rooms: 100, players: 1000 },
      { rooms: 1000, players: 10_000 },
    ],
    scrapes: 20,
  },
  growth: {
    blocks: 3,
    joins: 1000,
    concurrency: [1, 8, 64],
    rooms: [10, 100, 1000],
    awaySeconds: [0, 10, 30, 60, 120],
  },
};

/** Touches every part; its figures mean nothing. */
const QUICK: Plan = {
  quick: true,
  boot: { rounds: 1, warmUp: 1 },
  stall: { rounds: 1, watchMs: 1000 },
  micro: { rounds: 1, blocks: 1, joins: 160, warmUp: 160 },
  join: { rounds: 1, joins: 80, warmUpBlocks: 1 },
  heap: { rounds: 1, sessions: [100], cycles: 1 },
  tick: { rounds: 1, rooms: 100, warmUpMs: 500, windows: 1, windowMs: 1500 },
  scrape: { rounds: 1, sizes: [{ rooms: 10, players: 100 }], scrapes: 5 },
  growth: { blocks: 1, joins: 160, concurrency: [8], rooms: [10], awaySeconds: [0, 1] },
};

/** @param rounds replaces the number of rounds of every part */
export function planOf(quick: boolean, rounds: number | undefined): Plan {
  const plan = quick ? QUICK : FULL;
  if (rounds === undefined) {
    return plan;
  }
  return {
    ...plan,
    boot: { ...plan.boot, rounds },
    stall: { ...plan.stall, rounds },
    micro: { ...plan.micro, rounds },
    join: { ...plan.join, rounds },
    heap: { ...plan.heap, rounds },
    tick: { ...plan.tick, rounds },
    scrape: { ...plan.scrape, rounds },
    growth: { ...plan.growth, blocks: rounds },
  };
}
