import { existsSync } from "node:fs";
import pc from "picocolors";
import { drawDocs } from "./docs.ts";
import { isFull, readOptions } from "./options.ts";
import type { PartResult } from "./part.ts";
import { measureParts, PART_NAMES } from "./parts.ts";
import { planOf } from "./plan.ts";
import { describeResults, writeResults } from "./results.ts";
import { startStage } from "./stage.ts";
import { addedRows, barRows, curveRows, peerRows, TABLES, textTable } from "./table.ts";
import { titleOf } from "./variants.ts";

const options = readOptions(process.argv.slice(2));
if (!existsSync(new URL("../dist/index.js", import.meta.url))) {
  console.error("bench: dist/ is not there; what is measured is the built package: npm run build");
  process.exit(2);
}
const plan = planOf(options.quick, options.rounds);
if (options.quick) {
  console.log(pc.dim("--quick: small sizes and cold code; whether it runs, and not how fast"));
}
if (options.handicap) {
  console.log(pc.yellow("HANDICAP: ours is slowed by 100 us in auth, join and leave each, and by 20 ms at boot."));
}

try {
  const measured = await measure();
  print(measured);
  await keep(measured);
} catch (error) {
  console.error(pc.red(`bench: ${(error as Error).message}`));
  process.exitCode = 1;
}

async function measure(): Promise<Required<PartResult>> {
  await using stack = new AsyncDisposableStack();
  const stage = await startStage(stack, options.handicap);
  const say = (line: string) => console.log(pc.dim(line.length > 100 ? `${line.slice(0, 99)}…` : line));
  return await measureParts(options.only ?? PART_NAMES, { stage, plan, say });
}

function print({ bars, curves, added }: Required<PartResult>): void {
  if (bars.length > 0) {
    const rows = options.quick ? barRows(bars, () => "-") : barRows(bars);
    const verdict = (row: number) => (options.quick ? String : bars[row]!.holds ? pc.green : pc.red);
    console.log(`\n${textTable(TABLES.bars, rows, (line, row) => (row < 0 ? pc.bold : verdict(row))(line))}`);
    console.log(
      pc.dim("figure: ours / bare, ours - bare, or ours alone; noise: bare against itself; ?: target is inside"),
    );
    const peers = peerRows(bars, titleOf);
    if (peers.length > 0) console.log(`\n${textTable(TABLES.peers, peers, bold)}`);
  }
  if (Object.keys(added).length > 0) console.log(`\n${textTable(TABLES.added, addedRows(added, titleOf), bold)}`);
  for (const curve of curves) {
    const heads = [`${curve.title}, ${curve.unit}: ${curve.x}`, ...Object.keys(curve.points[0]?.y ?? {})];
    console.log(`\n${textTable(heads, curveRows(curve), bold)}`);
  }
}

async function keep(measured: Required<PartResult>): Promise<void> {
  if (!isFull(options)) {
    const why = options.quick ? "--quick judges nothing" : options.handicap ? "--handicap" : "--only";
    console.log(`\nbench/results.json is as it was: ${why}`);
    return;
  }
  const results = await describeResults(plan, measured);
  await writeResults(results);
  console.log("\nbench/results.json written");
  if (options.writeDocs) {
    await drawDocs(results);
    console.log("docs/performance.md and its pictures written");
  }
}

function bold(line: string, row: number): string {
  return row < 0 ? pc.bold(line) : line;
}
