import { readFile, writeFile } from "node:fs/promises";
import type { Bar } from "./bar.ts";
import type { Results } from "./results.ts";
import { markdownTable } from "./table.ts";

const PAGE = new URL("../docs/performance.md", import.meta.url);
const [BEGIN, END] = ["<!-- bench: begin -->", "<!-- bench: end -->"];

/** Puts the results between the two marks of the page. @throws Error when the page has lost its marks */
export async function writeDocs(results: Results): Promise<void> {
  const page = await readFile(PAGE, "utf8");
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) {
    throw new Error(`docs/performance.md needs the lines ${BEGIN} and ${END}`);
  }
  await writeFile(PAGE, `${before}${BEGIN}\n${describe(results)}\n${END}${after}`);
}

function describe({ machine, node, versions, rounds, bars }: Results): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    markdownTable(bars),
    "",
    ...bars.map(verdict),
    "",
    `${rounds} rounds. Machine: ${machine}. Node ${node}; ${named.join(", ")}.`,
  ].join("\n");
}

function verdict({ what, ratio, target, holds, spread }: Bar): string {
  const [low, high] = spread.ratio;
  const distance = (ratio - target).toFixed(2);
  const said = holds ? "the bar holds" : `the bar does **not** hold yet, ${distance} too much`;
  const unsure =
    low <= target && target < high ? "; its interval includes the target, more rounds may say otherwise" : "";
  return `- ${what}: ${said}${unsure}.`;
}
