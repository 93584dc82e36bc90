import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { readCounts, type Counts } from "../vitest-report.ts";
import type { Suite } from "./suites.ts";

const root = join(import.meta.dirname, "../..");

/** Runs the tests of a suite, which print what they have to show. */
export async function runSuite({ name, tests }: Suite): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), "colyseus-otel-real-"));
  try {
    const report = join(folder, "report.json");
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const which = tests === undefined ? ["--project=real", `test/real/${name}`] : ["--project=all", tests];
    const reporters = ["--reporter=verbose", "--reporter=json", `--outputFile.json=${report}`];
    const passed = await shown([vitest, "run", ...which, ...reporters]);
    return await readCounts(report, passed);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a script of node's to its end, with its output where ours goes: whether its exit code was 0. */
async function shown(args: readonly string[]): Promise<boolean> {
  const PATH = [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
  const color = process.stdout.isTTY ? {} : { NO_COLOR: "1" };
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...color, PATH },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = (await once(child, "close")) as [number | null];
  return code === 0;
}
