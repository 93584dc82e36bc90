import { setTimeout as wait } from "node:timers/promises";
import { judge, type BarSpec, type Round } from "../bar.ts";
import type { PartContext, PartResult } from "../part.ts";
import { startServers, type Cpu, type Measured } from "../server.ts";
import { median } from "../statistics.ts";
import type { VariantName } from "../variants.ts";

const SPEC: BarSpec = { name: "tick", what: "1,000 rooms at 20 Hz", unit: "%", judged: "difference", target: 1 };
const TICKING: readonly VariantName[] = ["bare", "again", "ours", "by-hand"];
const HZ = 20;

/**
 * CPU of rooms that tick and patch, in percent of one core, all servers in the same seconds. Patches are timed as well
 * (20 Hz by default): it is what a user gets.
 */
export async function measureTick({ stage, plan: { tick: plan }, say }: PartContext): Promise<PartResult> {
  const rounds: Round[] = [];
  while (rounds.length < plan.rounds) {
    await using stack = new AsyncDisposableStack();
    const servers = await startServers(stack, stage, TICKING);
    await Promise.all(servers.map((server) => server.ask("rooms", { rooms: plan.rooms, options: { hz: HZ } })));
    await wait(plan.warmUpMs);
    const windows: Round[] = [];
    while (windows.length < plan.windows) windows.push(await percentOfCore(servers, plan.windowMs));
    const round = Object.fromEntries(TICKING.map((name) => [name, median(windows.map((window) => window[name]!))]));
    rounds.push(round);
    const figures = TICKING.map((name) => `${name} ${round[name]!.toFixed(1)}`);
    say(`tick ${rounds.length}/${plan.rounds}, % of a core: ${figures.join(", ")}`);
  }
  return { bars: [judge(SPEC, rounds)] };
}

async function percentOfCore(servers: readonly Measured[], ms: number): Promise<Round> {
  const read = () => Promise.all(servers.map((server) => server.ask<Cpu>("cpu")));
  const [before, start] = [await read(), performance.now()];
  await wait(ms);
  const [after, end] = [await read(), performance.now()];
  const percent = (index: number) => (after[index]!.process - before[index]!.process) / (end - start) / 10;
  return Object.fromEntries(servers.map(({ name }, index) => [name, percent(index)]));
}
