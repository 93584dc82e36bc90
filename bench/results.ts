import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, totalmem } from "node:os";
import type { Bar } from "./bar.ts";
import type { Added, Closing, Curve, PartResult } from "./part.ts";
import type { Plan } from "./plan.ts";

/** What is measured matters with these versions only. */
const PACKAGES = [
  "@colyseus/core",
  "@google-cloud/agones-sdk",
  "@opentelemetry/api",
  "@opentelemetry/sdk-trace",
  "@opentelemetry/sdk-node",
  "@opentelemetry/auto-instrumentations-node",
];
const RESULTS = new URL("results.json", import.meta.url);

export interface Results {
  /** In words, without anything that names the host. */
  readonly machine: string;
  readonly node: string;
  readonly versions: Readonly<Record<string, string>>;
  /** By part. */
  readonly rounds: Readonly<Record<string, number>>;
  readonly bars: readonly Bar[];
  /** Microseconds a join and leave over bare, without sockets. */
  readonly added: Added;
  readonly growth: { readonly curves: readonly Curve[]; readonly closing: readonly Closing[] };
}

export async function describeResults(
  { boot, stall, micro, join, heap, tick, scrape, growth }: Plan,
  { bars, curves, added, closing }: Required<PartResult>,
): Promise<Results> {
  const versions: Record<string, string> = {
    "colyseus-otel": await versionIn(new URL("../package.json", import.meta.url)),
  };
  for (const name of PACKAGES) {
    versions[name] = await versionIn(new URL(`../node_modules/${name}/package.json`, import.meta.url));
  }
  return {
    machine: describeMachine(),
    node: process.version,
    versions,
    rounds: {
      boot: boot.rounds,
      stall: stall.rounds,
      micro: micro.rounds,
      join: join.rounds,
      heap: heap.rounds,
      tick: tick.rounds,
      scrape: scrape.rounds,
      growth: growth.blocks,
    },
    bars,
    added,
    growth: { curves, closing },
  };
}

export async function writeResults(results: Results): Promise<void> {
  await writeFile(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`);
}

function describeMachine(): string {
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? "unknown"}), ${memory} GiB, ${process.platform} ${process.arch}`;
}

async function versionIn(file: URL): Promise<string> {
  return (JSON.parse(await readFile(file, "utf8")) as { readonly version: string }).version;
}
