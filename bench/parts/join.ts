import { setTimeout as wait } from "node:timers/promises";
import { bareOf, judge, only, type Bar, type BarSpec, type Round } from "../bar.ts";
import type { PartContext, PartResult } from "../part.ts";
import { play } from "../players.ts";
import { startServers, withExport, type Cpu, type Measured } from "../server.ts";
import { estimate, shuffled } from "../statistics.ts";
import type { VariantName } from "../variants.ts";
import { addedIn, type MicroRound } from "./micro.ts";

const SPEC = { unit: "us", judged: "ratio" } as const;
const SAMPLED: BarSpec = { ...SPEC, name: "join", what: "join + leave, sampled", target: 1.05 };
const TENTH: BarSpec = {
  ...SPEC,
  name: "join-10",
  what: "join + leave, 10 %",
  target: 1.03,
  subject: "ours-10",
};

const LIVE: readonly VariantName[] = ["bare", "again", "ours", "ours-10", "by-hand", "auto"];
const CONCURRENCY = 8;
const SETTLE_MS = 1200;
/** Two processes of the same server can differ by more than we cost, so the servers are new after so many rounds. */
const ROUNDS_PER_SERVER = 4;

/**
 * Both join bars. On two cores live servers alone cannot show 2 %, so what is judged is the live bare with what the
 * micro figure says is added; the live figures stand beside it.
 */
export async function measureJoin(context: PartContext, micro: readonly MicroRound[]): Promise<PartResult> {
  const live = await measureLive(context);
  const liveBare = estimate(live.map(bareOf)).median;
  const composed = micro.map(({ process }): Round => {
    const bare = bareOf(process);
    return Object.fromEntries(Object.entries(process).map(([name, us]) => [name, liveBare + us - bare]));
  });
  const bars: Bar[] = [
    judge(
      SAMPLED,
      only(composed, ["bare", "again", "ours", "ours-without-sdk", "by-hand"]),
      judge(SAMPLED, only(live, ["bare", "again", "ours", "by-hand", "auto"])),
    ),
    judge(
      TENTH,
      only(composed, ["bare", "again", "ours-10", "by-hand-10"]),
      judge(TENTH, only(live, ["bare", "again", "ours-10"])),
    ),
  ];
  return { bars, added: addedIn(micro) };
}

/** CPU of the server process (all its threads) per join and leave, in blocks on servers that live long. */
async function measureLive({ stage, plan: { join: plan }, say }: PartContext): Promise<Round[]> {
  const rounds: Round[] = [];
  while (rounds.length < plan.rounds) {
    await using stack = new AsyncDisposableStack();
    const servers = await startServers(stack, stage, LIVE);
    for (let block = 0; block < plan.warmUpBlocks; block += 1) {
      for (const { url } of shuffled(servers)) await play(url, plan.joins, CONCURRENCY);
    }
    await wait(SETTLE_MS);
    for (let left = ROUNDS_PER_SERVER; left > 0 && rounds.length < plan.rounds; left -= 1) {
      const round = await measureRound(servers, plan.joins);
      rounds.push(round);
      const figures = Object.entries(round).map(([name, us]) => `${name} ${us.toFixed(0)}`);
      say(`join ${rounds.length}/${plan.rounds}, live us: ${figures.join(", ")}`);
    }
  }
  return rounds;
}

async function measureRound(servers: readonly Measured[], joins: number): Promise<Round> {
  const took = new Map<string, number>();
  for (const server of shuffled(servers)) {
    took.set(server.name, await withExport(server, joins, () => measureBlock(server, joins)));
  }
  return Object.fromEntries(servers.map(({ name }) => [name, took.get(name)!]));
}

/** Microseconds a join. */
async function measureBlock(server: Measured, joins: number): Promise<number> {
  const before = await server.ask<Cpu>("cpu");
  await play(server.url, joins, CONCURRENCY);
  await wait(SETTLE_MS);
  return ((await server.ask<Cpu>("cpu")).process - before.process) / joins;
}
