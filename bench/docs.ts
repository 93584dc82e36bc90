import { readFile, writeFile } from "node:fs/promises";
import { figureIn, type Bar } from "./bar.ts";
import type { Results } from "./results.ts";
import { drawBars, drawCharts, type BarGroup, type Chart } from "./svg.ts";
import { addedRows, barRows, curveRows, figure, markdownTable, peerRows, TABLES, verdictOf } from "./table.ts";
import { titleOf } from "./variants.ts";

const PAGE = new URL("../docs/performance.md", import.meta.url);
const PICTURES = {
  bars: new URL("../docs/performance.svg", import.meta.url),
  growth: new URL("../docs/performance-growth.svg", import.meta.url),
};
const [BEGIN, END] = ["<!-- bench: begin -->", "<!-- bench: end -->"];
/** Those in which ours and others do the same thing. */
const PICTURED = ["boot", "stall", "join", "join-10", "heap", "scrape"];

/** Writes docs/performance.md and its pictures. @throws Error when the page has lost its marks */
export async function drawDocs(results: Results): Promise<void> {
  await writeFile(PAGE, pageWith(await readFile(PAGE, "utf8"), results));
  await writeFile(PICTURES.bars, pictureOfBars(results));
  await writeFile(PICTURES.growth, pictureOfGrowth(results));
}

/** The page with these results between its two marks. @throws Error when it has lost them */
export function pageWith(page: string, results: Results): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) {
    throw new Error(`docs/performance.md needs the lines ${BEGIN} and ${END}`);
  }
  return `${before}${BEGIN}\n${describe(results)}\n${END}${after}`;
}

export function pictureOfBars({ bars }: Results): string {
  return drawBars(bars.filter(({ name }) => PICTURED.includes(name)).map(groupOf));
}

export function pictureOfGrowth({ growth }: Results): string {
  return drawCharts(growth.curves.map(chartOf));
}

function describe({ machine, node, versions, rounds, bars, added, growth }: Results): string {
  const named = (of: Readonly<Record<string, string | number>>) =>
    Object.entries(of)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ");
  const curves = growth.curves.flatMap((curve) => [
    markdownTable(
      [`${curve.title}, ${curve.unit}: ${curve.x}`, ...Object.keys(curve.points[0]?.y ?? {})],
      curveRows(curve),
    ),
    "",
  ]);
  const closings = growth.closing.map(
    ({ players, expected, arrived, stall }) =>
      `A room of ${players} that closes at once: ${arrived} of ${expected} last spans arrive; the event loop stands still for ${stall} ms at most.`,
  );
  return [
    markdownTable(TABLES.bars, barRows(bars)),
    "",
    ...bars.map(verdict),
    "",
    "![Ours beside what a user would pick](performance.svg)",
    "",
    markdownTable(["bar", "beside it", "figure [95 %]"], peerRows(bars, titleOf)),
    "",
    markdownTable(TABLES.added, addedRows(added, titleOf)),
    "",
    "![How the cost grows](performance-growth.svg)",
    "",
    ...curves,
    ...closings,
    "",
    `Rounds: ${named(rounds)}. Machine: ${machine}. Node ${node}; ${named(versions)}.`,
  ].join("\n");
}

function verdict(bar: Bar): string {
  const { what, target, holds } = bar;
  const said = holds ? "holds" : `does **not** hold yet, ${figure(bar, figureIn(bar) - target)} too much`;
  const unsure = verdictOf(bar).endsWith("?")
    ? "; but its interval includes the target, more rounds may say otherwise"
    : "";
  return `- ${what}: ${said}${unsure}.`;
}

function groupOf(bar: Bar): BarGroup {
  // One and a twentieth look alike from zero: of a join only what is added is drawn.
  const percent = bar.name.startsWith("join");
  const value = (of: number) => (percent ? (of - 1) * 100 : of);
  const said = (of: number) => (percent ? `${value(of).toFixed(1)} %` : figure(bar, of));
  const over = { ratio: percent ? "CPU added" : "bare = 1", difference: "more than bare", value: "" }[bar.judged];
  const own = { label: "colyseus-otel", figure: figureIn(bar), ours: true };
  const peers = Object.entries(bar.peers).map(([name, peer]) => ({
    label: titleOf(name),
    figure: peer.figure,
    ours: name.startsWith("ours"),
  }));
  return {
    title: [bar.what, over].filter(Boolean).join(": "),
    target: value(bar.target),
    bars: [own, ...peers].map(({ label, figure, ours }) => ({ label, value: value(figure), text: said(figure), ours })),
  };
}

function chartOf({ title, x, unit, points }: Results["growth"]["curves"][number]): Chart {
  const labels = Object.keys(points[0]?.y ?? {});
  return {
    title,
    x,
    unit,
    lines: labels.map((label) => ({
      label,
      ours: label.startsWith("ours"),
      points: points.map((point) => [point.x, point.y[label] ?? 0] as const),
    })),
  };
}
