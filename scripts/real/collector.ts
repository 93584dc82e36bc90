import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.ts";
import { versionOf } from "./program.ts";

const root = join(import.meta.dirname, "../..");
const source = join(root, "test/real/collector");
const CACHE = join(root, "node_modules/.cache/colyseus-otel/collector");
const SAY_EVERY_MS = 15_000;

/** Where the Collector of these sources is, or will be once it is built. */
export function collectorPath(cache = CACHE): string {
  const hash = createHash("sha256");
  for (const name of ["main.go", "go.mod", "go.sum"]) {
    hash.update(readFileSync(join(source, name)));
  }
  return join(cache, hash.digest("hex").slice(0, 16));
}

/** Builds the Collector unless that was done already, and says its version. */
export async function builtCollector(progress: (line: string) => void, cache = CACHE): Promise<string> {
  const path = collectorPath(cache);
  if (!existsSync(path)) {
    const go = await versionOf("go", ["version"]);
    await rm(cache, { recursive: true, force: true });
    await mkdir(cache, { recursive: true });
    progress(`go ${go} builds the Collector: a minute or two, once`);
    await build(path, progress);
  }
  return `OpenTelemetry Collector ${await versionOf(path, ["--version"])}`;
}

async function build(path: string, progress: (line: string) => void): Promise<void> {
  const began = performance.now();
  const seconds = () => `${Math.round((performance.now() - began) / 1000)} s`;
  const saying = setInterval(() => progress(`still building after ${seconds()}`), SAY_EVERY_MS);
  try {
    // Debian's Go is of a fixed version by default, and go.mod may ask for a later one: it comes as a module as well.
    const env = { GOTOOLCHAIN: process.env["GOTOOLCHAIN"] ?? "auto", CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false" };
    // Under its own name only when it is whole.
    const args = ["build", "-trimpath", "-ldflags=-s -w", "-o", `${path}.part`, "."];
    const { passed, output } = await command(["go", ...args], source, env);
    if (!passed) {
      throw new Error(`go build failed:\n${output.trim()}`);
    }
    await rename(`${path}.part`, path);
    progress(`built in ${seconds()}`);
  } finally {
    clearInterval(saying);
  }
}
