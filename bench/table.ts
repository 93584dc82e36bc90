import { figureIn, type Bar, type Interval } from "./bar.ts";
import type { Added, AddedCpu, Curve } from "./part.ts";

const HEADS = ["bar", "ours", "bare", "figure [95 %]", "noise", "target", "holds"] as const;
const PEER_HEADS = ["beside it", "", "figure [95 %]"] as const;
const ADDED_HEADS = ["added to a join + leave, us", "whole process [95 %]", "main thread [95 %]"] as const;

type Row = readonly string[];

export function barRows(bars: readonly Bar[], verdict: (bar: Bar) => string = verdictOf): Row[] {
  return bars.map((bar) => [
    bar.what,
    amount(bar.ours, bar.unit),
    bar.bare === null ? "-" : amount(bar.bare, bar.unit),
    `${figure(bar, figureIn(bar))} ${range(bar, bar.spread.figure)}`,
    bar.spread.noise ? range(bar, bar.spread.noise) : "-",
    figure(bar, bar.target),
    verdict(bar),
  ]);
}

/** Everybody else of each bar, and the live figures of those that are judged by another. */
export function peerRows(bars: readonly Bar[], titleOf: (name: string) => string): Row[] {
  return bars.flatMap((bar) => {
    const rows = Object.entries(bar.peers).map(([name, peer]) => [
      bar.what,
      titleOf(name),
      `${figure(bar, peer.figure)} ${range(bar, peer.spread)}`,
    ]);
    const { live } = bar;
    if (!live) return rows;
    const noise = live.spread.noise ? [[bar.what, "live: bare against itself", range(live, live.spread.noise)]] : [];
    const own = [bar.what, "live: ours", `${figure(live, figureIn(live))} ${range(live, live.spread.figure)}`];
    const others = Object.entries(live.peers).map(([name, peer]) => [
      bar.what,
      `live: ${titleOf(name)}`,
      `${figure(live, peer.figure)} ${range(live, peer.spread)}`,
    ]);
    return [...rows, own, ...others, ...noise];
  });
}

export function addedRows(added: Added, titleOf: (name: string) => string): Row[] {
  const cell = ({ median, low, high }: AddedCpu) => `${median.toFixed(1)} [${low.toFixed(1)}, ${high.toFixed(1)}]`;
  return Object.entries(added).map(([name, { process, main }]) => [titleOf(name), cell(process), cell(main)]);
}

export function curveRows({ points }: Curve): Row[] {
  return points.map(({ x, y }) => [String(x), ...Object.values(y).map(String)]);
}

/** With a question mark where the interval includes the target: more rounds may say otherwise. */
export function verdictOf({
  holds,
  target,
  spread: {
    figure: [low, high],
  },
}: Bar): string {
  return `${holds ? "yes" : "no"}${low <= target && target < high ? "?" : ""}`;
}

/** For the terminal. */
export function textTable(heads: Row, rows: readonly Row[], paint: (line: string, row: number) => string): string {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]!.length)));
  const line = (row: Row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd();
  return [paint(line(heads), -1), ...rows.map((row, index) => paint(line(row), index))].join("\n");
}

export function markdownTable(heads: Row, rows: readonly Row[]): string {
  const line = (row: Row) => `| ${row.join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}

export const TABLES = { bars: HEADS, peers: PEER_HEADS, added: ADDED_HEADS } as const;

/** As ratios are written, or with their unit. */
export function figure({ judged, unit }: Pick<Bar, "judged" | "unit">, value: number): string {
  return judged === "ratio" ? value.toFixed(3) : amount(value, unit);
}

function amount(value: number, unit: string): string {
  return `${Number.isInteger(value) ? value : short(value)} ${unit}`.trim();
}

function range({ judged }: Pick<Bar, "judged">, [low, high]: Interval): string {
  const said = judged === "ratio" ? (value: number) => value.toFixed(2) : short;
  return `[${said(low)}, ${said(high)}]`;
}

/** Three digits or so: nobody reads more out of a clock. */
function short(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
