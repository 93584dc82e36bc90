import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { command } from "../command.ts";
import type { Line } from "./lines.ts";

export interface SuiteResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What was printed. */
  readonly output: string;
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

const NOTHING: Report = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, testResults: [] };

/** Runs the suite of a project that is installed. */
export async function runSuite({ versions }: Line, folder: string): Promise<SuiteResult> {
  const report = join(folder, "report.json");
  const vitest = join(folder, "node_modules/vitest/vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`, "--silent=passed-only"];
  const args = [vitest, "run", "--config=test/matrix/vitest.config.ts", "--root=.", ...reporters];
  const env = {
    PATH: [join(folder, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
    MATRIX_VERSIONS: JSON.stringify(versions),
  };
  const { passed, output } = await command([process.execPath, ...args], folder, env);
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = await read(report);
  // A file that does not even load has no tests to fail; an error that nobody caught is in no file.
  const broken = testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
  const failed = numFailedTests + broken.length;
  return {
    passed: numPassedTests,
    failed: passed ? failed : Math.max(failed, 1),
    skipped: numPendingTests,
    output,
  };
}

async function read(path: string): Promise<Report> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Report;
  } catch {
    return NOTHING;
  }
}
