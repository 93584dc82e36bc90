import { setTimeout as wait } from "node:timers/promises";
import { judge, type BarSpec, type Round } from "../bar.ts";
import type { Curve, PartContext, PartResult } from "../part.ts";
import type { ScrapeSize } from "../plan.ts";
import { settled, startServer, type Cpu, type Measured } from "../server.ts";
import type { Stage } from "../stage.ts";
import { estimate, shuffled } from "../statistics.ts";
import type { VariantName } from "../variants.ts";

const SPEC: BarSpec = { name: "scrape", what: "scrape, 10,000 players", unit: "ms", judged: "value", target: 5 };
const SCRAPED: readonly VariantName[] = ["ours", "by-hand"];
const PER_SECOND = 2000;

interface Scrape {
  /** CPU of the main thread. */
  readonly ms: number;
  readonly bytes: number;
}

/** What one GET of /metrics takes of the event loop, request and answer included. */
export async function measureScrape({ stage, plan: { scrape: plan }, say }: PartContext): Promise<PartResult> {
  const rounds: Record<string, Scrape[]>[] = [];
  while (rounds.length < plan.rounds) {
    const round: Record<string, Scrape[]> = {};
    for (const name of shuffled(SCRAPED)) round[name] = await scrapeSizes(stage, name, plan.sizes, plan.scrapes);
    rounds.push(round);
    const figures = SCRAPED.map((name) => `${name} ${round[name]!.at(-1)!.ms.toFixed(2)}`);
    say(`scrape ${rounds.length}/${plan.rounds}, ms: ${figures.join(", ")}`);
  }
  const values = (size: number, of: keyof Scrape): Round[] =>
    rounds.map((round) => Object.fromEntries(SCRAPED.map((name) => [name, round[name]!.at(size)![of]])));
  const curve = (of: keyof Scrape, title: string, scale: number): Curve => ({
    name: `scrape-${of}`,
    title,
    x: "players",
    unit: of === "ms" ? "ms" : "KiB",
    points: plan.sizes.map(({ players }, size) => ({ x: players, y: mediansOf(values(size, of), scale) })),
  });
  return {
    bars: [judge(SPEC, values(-1, "ms"))],
    curves: [curve("ms", "Event loop per scrape", 1), curve("bytes", "Size of a scrape", 1 / 1024)],
  };
}

/** A process for each size: what a scrape costs falls by half while V8 compiles it, and would pass for growth. */
async function scrapeSizes(
  stage: Stage,
  name: VariantName,
  sizes: readonly ScrapeSize[],
  scrapes: number,
): Promise<Scrape[]> {
  const measured: Scrape[] = [];
  for (const { rooms, players } of sizes) {
    await using server = await startServer(stage, name);
    await server.ask("rooms", { rooms, options: { still: true } });
    await server.ask("fill", { players, perSecond: PER_SECOND });
    await settled(server);
    measured.push(await scrapeOften(server, scrapes));
  }
  return measured;
}

/** The mean, with the first: in its first minutes a server is scraped cold. */
async function scrapeOften(server: Measured, scrapes: number): Promise<Scrape> {
  const [before, start] = [await server.ask<Cpu>("cpu"), performance.now()];
  let bytes = 0;
  for (let scrape = 0; scrape < scrapes; scrape += 1) bytes = await scrapeOnce(server);
  const [between, took] = [await server.ask<Cpu>("cpu"), performance.now() - start];
  // What the server does anyway in as much time is not the scrapes'.
  await wait(took);
  const after = await server.ask<Cpu>("cpu");
  return { ms: (2 * between.main - before.main - after.main) / scrapes / 1000, bytes };
}

async function scrapeOnce({ metricsUrl, name }: Measured): Promise<number> {
  const response = await fetch(metricsUrl);
  const { length } = await response.text();
  if (!response.ok || length === 0) throw new Error(`the scrape of "${name}" was answered ${response.status}`);
  return length;
}

function mediansOf(rounds: readonly Round[], scale: number): Record<string, number> {
  const median = (name: string) => estimate(rounds.map((round) => round[name]!)).median;
  return Object.fromEntries(SCRAPED.map((name) => [name, Math.round(median(name) * scale * 100) / 100]));
}
