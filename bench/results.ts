import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, totalmem } from "node:os";
import type { Bar } from "./bar.ts";

/** What is measured matters with these versions only. */
const PACKAGES = ["@colyseus/core", "@google-cloud/agones-sdk", "@opentelemetry/api", "@opentelemetry/sdk-trace"];
const RESULTS = new URL("results.json", import.meta.url);

export interface Results {
  /** In words, without anything that names the host. */
  readonly machine: string;
  readonly node: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly bars: readonly Bar[];
}

export async function describeResults(rounds: number, bars: readonly Bar[]): Promise<Results> {
  const own = await versionIn(new URL("../package.json", import.meta.url));
  const versions: Record<string, string> = { "colyseus-otel": own };
  for (const name of PACKAGES) {
    versions[name] = await versionIn(new URL(`../node_modules/${name}/package.json`, import.meta.url));
  }
  return { machine: describeMachine(), node: process.version, versions, rounds, bars };
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
