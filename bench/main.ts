import { existsSync } from "node:fs";
import pc from "picocolors";
import { judge, type Bar } from "./bar.ts";
import { measureBoot } from "./boot.ts";
import { writeDocs } from "./docs.ts";
import { measureJoin } from "./join.ts";
import { readOptions } from "./options.ts";
import { describeResults, writeResults } from "./results.ts";
import { startStage } from "./stage.ts";
import { textTable } from "./table.ts";

const MEASURES = { boot: measureBoot, join: measureJoin };

const { only, rounds, writeDocs: wantsDocs } = readOptions(process.argv.slice(2));
if (!existsSync(new URL("../dist/index.js", import.meta.url))) {
  console.error("bench: dist/ is not there; what is measured is the built package: npm run build");
  process.exit(2);
}

const bars = await measure(only ? [only] : ["boot", "join"]);
console.log(`\n${textTable(bars, { head: pc.bold, verdict: ({ holds }) => (holds ? pc.green : pc.red) })}`);
console.log(pc.dim("ratio: ours / bare, paired within a round; noise: one bare / an equal bare"));
const results = await describeResults(rounds, bars);
if (only) {
  console.log(`bench/results.json is as it was: --only ${only}`);
} else {
  await writeResults(results);
  console.log("bench/results.json written");
}
if (wantsDocs && !only) {
  await writeDocs(results);
  console.log("docs/performance.md written");
}

async function measure(names: readonly (keyof typeof MEASURES)[]): Promise<Bar[]> {
  await using stack = new AsyncDisposableStack();
  const stage = await startStage(stack);
  const measured: Bar[] = [];
  for (const name of names) {
    measured.push(judge(await MEASURES[name](stage, rounds, say)));
  }
  return measured;
}

function say(line: string): void {
  console.log(pc.dim(line));
}
