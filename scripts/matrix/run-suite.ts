import { delimiter, join } from "node:path";
import { command } from "../command.ts";
import { readCounts, type Counts } from "../vitest-report.ts";
import type { Line } from "./lines.ts";

export interface SuiteResult extends Counts {
  /** What was printed. */
  readonly output: string;
}

/** Runs the suite of a project that is installed. */
export async function runSuite({ name, versions, tests }: Line, folder: string, app = ""): Promise<SuiteResult> {
  const report = join(folder, `report-${name}.json`);
  const vitest = join(folder, "node_modules/vitest/vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`, "--silent=passed-only"];
  const files = tests.map((file) => (file.endsWith(".ts") ? `test/${file}` : `test/${file}.test.ts`));
  const args = [vitest, "run", "--config=test/matrix/vitest.config.ts", "--root=.", ...reporters, ...files];
  const node = versions["node"] ? join(folder, "node_modules/.bin/node") : process.execPath;
  const env = {
    PATH: [join(folder, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
    MATRIX_VERSIONS: JSON.stringify(versions),
    MATRIX_APP: app,
  };
  const { passed, output } = await command([node, ...args], folder, env);
  return { ...(await readCounts(report, passed)), output };
}
