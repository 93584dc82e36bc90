import type { Bar } from "./bar.ts";

const HEADS = ["bar", "ours", "bare", "ratio [95 %]", "noise [95 %]", "target", "holds"] as const;

/** A row in words. `ratio` and `noise` with the intervals of their medians. */
function cells({ what, unit, ours, bare, ratio, noise, spread, target, holds }: Bar): readonly string[] {
  return [
    what,
    `${ours.toFixed(0)} ${unit}`,
    `${bare.toFixed(0)} ${unit}`,
    `${ratio.toFixed(3)} ${range(spread.ratio)}`,
    `${noise.toFixed(3)} ${range(spread.noise)}`,
    target.toFixed(2),
    holds ? "yes" : "not yet",
  ];
}

/** For the terminal: at most 100 columns. */
export function textTable(
  bars: readonly Bar[],
  paint: { readonly head: Paint; readonly verdict: (bar: Bar) => Paint },
): string {
  const rows = bars.map(cells);
  const widths = HEADS.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd();
  return [paint.head(line(HEADS)), ...rows.map((row, index) => paint.verdict(bars[index]!)(line(row)))].join("\n");
}

export function markdownTable(bars: readonly Bar[]): string {
  const line = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  return [line(HEADS), line(HEADS.map(() => "---")), ...bars.map((bar) => line(cells(bar)))].join("\n");
}

type Paint = (text: string) => string;

function range([low, high]: readonly [number, number]): string {
  return `[${low.toFixed(2)}-${high.toFixed(2)}]`;
}
