import { bareOf, type Round } from "../bar.ts";
import type { Added, PartContext } from "../part.ts";
import type { MicroPlan } from "../plan.ts";
import { startServers, withExport, type Cpu, type Measured } from "../server.ts";
import type { Stage } from "../stage.ts";
import { estimate, median, shuffled } from "../statistics.ts";
import type { VariantName } from "../variants.ts";

/** CPU per join and leave in microseconds: of the whole process, and of its main thread alone. */
export interface MicroRound {
  readonly process: Round;
  readonly main: Round;
}

const VARIANTS_MEASURED: readonly VariantName[] = [
  "bare",
  "again",
  "ours",
  "ours-10",
  "ours-without-sdk",
  "by-hand",
  "by-hand-10",
];
const CONCURRENCY = 8;
/** Longer than the second between two exports: a block pays for its own spans. */
export const SETTLE_MS = 1200;

/**
 * The hooks and the export without sockets. New processes each round (two of the same server can differ by more than we
 * cost); within a round their blocks are interleaved in random order.
 */
export async function measureMicro({ stage, plan, say }: PartContext): Promise<MicroRound[]> {
  const rounds: MicroRound[] = [];
  while (rounds.length < plan.micro.rounds) {
    const round = await measureRound(stage, plan.micro);
    rounds.push(round);
    const { bare, again, ...others } = round.process;
    const figures = Object.entries(others).map(([name, us]) => `${name} ${(us - bareOf(round.process)).toFixed(0)}`);
    say(
      `micro ${rounds.length}/${plan.micro.rounds}, us: bare ${bare?.toFixed(0)}, ${again?.toFixed(0)}; added ${figures.join(", ")}`,
    );
  }
  return rounds;
}

/** What each variant adds to a join and leave of bare. */
export function addedIn(rounds: readonly MicroRound[]): Added {
  const over = (part: keyof Cpu, name: string) =>
    estimate(rounds.map((round) => round[part][name]! - bareOf(round[part])));
  const names = Object.keys(rounds[0]?.process ?? {}).filter((name) => name !== "bare");
  return Object.fromEntries(names.map((name) => [name, { process: over("process", name), main: over("main", name) }]));
}

async function measureRound(stage: Stage, { joins, blocks, warmUp }: MicroPlan): Promise<MicroRound> {
  await using stack = new AsyncDisposableStack();
  const servers = await startServers(stack, stage, VARIANTS_MEASURED);
  await Promise.all(servers.map((server) => play(server, warmUp)));
  const took = new Map(servers.map(({ name }) => [name, [] as Cpu[]]));
  for (let block = 0; block < blocks; block += 1) {
    for (const server of shuffled(servers)) {
      took.get(server.name)!.push(await withExport(server, joins, () => play(server, joins)));
    }
  }
  const per = (part: keyof Cpu): Round =>
    Object.fromEntries([...took].map(([name, cpus]) => [name, median(cpus.map((cpu) => cpu[part])) / joins]));
  return { process: per("process"), main: per("main") };
}

function play(server: Measured, joins: number): Promise<Cpu> {
  return server.ask<Cpu>("joins", { joins, concurrency: CONCURRENCY, settle: SETTLE_MS });
}
