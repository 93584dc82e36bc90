import { setTimeout as wait } from "node:timers/promises";
import { judge, type BarSpec, type Round } from "../bar.ts";
import type { PartContext, PartResult } from "../part.ts";
import { startServer } from "../server.ts";
import { shuffled } from "../statistics.ts";
import { here, type VariantName } from "../variants.ts";

const SPEC: BarSpec = {
  name: "stall",
  what: "stall, 5 s from Ready",
  unit: "ms",
  judged: "difference",
  target: 20,
};
/** Peers load their SDK before the app: what they cost is in the boot. */
const WATCHED: readonly VariantName[] = ["bare", "again", "ours", "node-sdk", "auto"];

export interface Stall {
  readonly gap: number;
  readonly delay: number;
}

/** The longest stall of the event loop in the seconds after Ready, by the worse of two clocks. */
export async function measureStall({ stage, plan: { stall: plan }, say }: PartContext): Promise<PartResult> {
  const rounds: Round[] = [];
  while (rounds.length < plan.rounds) {
    const round: Record<string, number> = {};
    for (const name of shuffled(WATCHED)) {
      await using server = await startServer(stage, name, { flags: ["--import", here("apps/stalls.mjs")] });
      const since = String(server.readyAt);
      // The histogram knows no times: it forgets the boot, and the gaps cover the millisecond until it did.
      const { gap } = await server.ask<Stall>("longestStall", { since });
      await server.ask("forgetStalls");
      await wait(plan.watchMs);
      const watched = await server.ask<Stall>("longestStall", { since });
      round[name] = Math.max(gap, watched.gap, watched.delay);
    }
    rounds.push(round);
    const figures = WATCHED.map((name) => `${name} ${round[name]!.toFixed(1)}`);
    say(`stall ${rounds.length}/${plan.rounds}, ms: ${figures.join(", ")}`);
  }
  return { bars: [judge(SPEC, rounds)] };
}
