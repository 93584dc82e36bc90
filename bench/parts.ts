import type { PartContext, PartResult } from "./part.ts";
import { measureBoot } from "./parts/boot.ts";
import { measureGrowth } from "./parts/growth.ts";
import { measureHeap } from "./parts/heap.ts";
import { measureJoin } from "./parts/join.ts";
import { measureMessages } from "./parts/messages.ts";
import { addedIn, measureMicro, type MicroRound } from "./parts/micro.ts";
import { measureScrape } from "./parts/scrape.ts";
import { measureStall } from "./parts/stall.ts";
import { measureTick } from "./parts/tick.ts";

type Measure = (context: PartContext, micro: () => Promise<readonly MicroRound[]>) => Promise<PartResult>;

/** In the order in which they run. `join` needs the rounds of `micro`, and measures them when nobody has. */
export const PARTS = {
  boot: measureBoot,
  stall: measureStall,
  micro: async (_context, micro) => ({ added: addedIn(await micro()) }),
  join: async (context, micro) => measureJoin(context, await micro()),
  heap: measureHeap,
  tick: measureTick,
  scrape: measureScrape,
  messages: measureMessages,
  growth: measureGrowth,
} as const satisfies Record<string, Measure>;

export type PartName = keyof typeof PARTS;

export const PART_NAMES = Object.keys(PARTS) as readonly PartName[];

export async function measureParts(names: readonly PartName[], context: PartContext): Promise<Required<PartResult>> {
  let measured: Promise<readonly MicroRound[]> | undefined;
  const micro = () => (measured ??= measureMicro(context));
  const results: PartResult[] = [];
  for (const name of PART_NAMES.filter((part) => names.includes(part))) {
    results.push(await PARTS[name](context, micro));
  }
  return {
    bars: results.flatMap(({ bars = [] }) => bars),
    curves: results.flatMap(({ curves = [] }) => curves),
    added: Object.assign({}, ...results.map(({ added }) => added)),
    closing: results.flatMap(({ closing = [] }) => closing),
  };
}
