/** Plain SVG that reads in light and dark: text and lines take the page's colour where it is set, else a middle grey. */
export interface BarGroup {
  readonly title: string;
  /** Where the target lies, in the unit of the values. */
  readonly target?: number;
  readonly bars: readonly {
    readonly label: string;
    readonly value: number;
    /** As it is written beside the bar. */
    readonly text: string;
    readonly ours: boolean;
  }[];
}

export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly unit: string;
  readonly lines: readonly {
    readonly label: string;
    readonly ours: boolean;
    readonly points: readonly (readonly [x: number, y: number])[];
  }[];
}

const WIDTH = 760;
const ROW = 22;
const LABELS = 250;
const VALUES = 90;
const STYLE = `<style>
text{font:13px system-ui,sans-serif;fill:#24292f}.head{font-weight:600}.small{font-size:11px}.mine{font-size:11px;fill:#2f81f7}.others{font-size:11px;fill:#8b949e}
.ours{fill:#2f81f7;stroke:#2f81f7}.other{fill:#8b949e;stroke:#8b949e}.target{stroke:#d1242f;stroke-width:1.5;stroke-dasharray:4 3}
.axis{stroke:#8b949e;stroke-width:1}.line{fill:none;stroke-width:2}
@media(prefers-color-scheme:dark){text:not(.mine):not(.others){fill:#e6edf3}}
</style>`;

/** Groups of horizontal bars, each group on its own scale from zero; a dashed line where its target lies. */
export function drawBars(groups: readonly BarGroup[]): string {
  const parts: string[] = [];
  let y = 8;
  for (const group of groups) {
    y += ROW;
    parts.push(text(0, y - 6, group.title, "head"));
    const most = Math.max(group.target ?? 0, ...group.bars.map(({ value }) => value), Number.MIN_VALUE);
    const scale = (value: number) => (Math.max(0, value) / most) * (WIDTH - LABELS - VALUES);
    for (const { label, value, text: said, ours } of group.bars) {
      const width = scale(value);
      parts.push(text(12, y + 15, label));
      parts.push(
        `<rect class="${ours ? "ours" : "other"}" x="${LABELS}" y="${y + 3}" width="${at(width)}" height="16"/>`,
      );
      parts.push(text(LABELS + width + 6, y + 15, said));
      y += ROW;
    }
    if (group.target !== undefined) {
      const x = at(LABELS + scale(group.target));
      parts.push(`<line class="target" x1="${x}" x2="${x}" y1="${y - group.bars.length * ROW}" y2="${y}"/>`);
    }
    y += 10;
  }
  return frame(WIDTH, y, parts);
}

const [CELL_WIDTH, CELL_HEIGHT] = [380, 210];
const PLOT = { left: 56, right: 26, top: 42, bottom: 40 };

/** Small charts, two in a row, over a logarithmic x where it begins above zero. */
export function drawCharts(charts: readonly Chart[]): string {
  const rows = Math.ceil(charts.length / 2);
  const cells = charts.map((chart, index) => {
    const [x, y] = [(index % 2) * CELL_WIDTH, Math.floor(index / 2) * CELL_HEIGHT];
    return `<g transform="translate(${x} ${y})">${drawChart(chart).join("")}</g>`;
  });
  return frame(CELL_WIDTH * 2, rows * CELL_HEIGHT, cells);
}

function drawChart({ title, x, unit, lines }: Chart): string[] {
  const points = lines.flatMap((line) => line.points);
  const xs = [...new Set(points.map(([at]) => at))].sort((a, b) => a - b);
  const [least, greatest] = [xs[0] ?? 0, xs.at(-1) ?? 1];
  const place = least > 0 && greatest > least ? Math.log : Number;
  const [from, to] = [place(least), place(greatest)];
  const top = Math.max(...points.map(([, y]) => y), Number.MIN_VALUE);
  const [width, height] = [CELL_WIDTH - PLOT.left - PLOT.right, CELL_HEIGHT - PLOT.top - PLOT.bottom];
  const px = (value: number) => PLOT.left + (to > from ? (place(value) - from) / (to - from) : 0.5) * width;
  const py = (value: number) => PLOT.top + height * (1 - Math.max(0, value) / top);
  const base = PLOT.top + height;
  return [
    text(PLOT.left, 18, `${title}, ${unit}`, "head"),
    `<line class="axis" x1="${PLOT.left}" x2="${PLOT.left + width}" y1="${base}" y2="${base}"/>`,
    ...xs.map((value) => text(px(value), base + 15, value.toLocaleString("en"), "small", "middle")),
    text(PLOT.left + width / 2, base + 31, x, "small", "middle"),
    text(PLOT.left - 6, PLOT.top + 5, top.toLocaleString("en", { maximumFractionDigits: 1 }), "small", "end"),
    text(PLOT.left - 6, base + 4, "0", "small", "end"),
    ...lines.map(({ label, ours }, index) =>
      text(PLOT.left + width - index * 70, 33, label, ours ? "mine" : "others", "end"),
    ),
    ...lines.flatMap(({ ours, points: own }) => {
      const kind = ours ? "ours" : "other";
      const path = own.map(([x, y]) => `${at(px(x))},${at(py(y))}`).join(" ");
      const dots = own.map(([x, y]) => `<circle class="${kind}" cx="${at(px(x))}" cy="${at(py(y))}" r="3"/>`);
      return [`<polyline class="${kind} line" style="fill:none" points="${path}"/>`, ...dots];
    }),
  ];
}

function frame(width: number, height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
${STYLE}
${parts.join("\n")}
</svg>
`;
}

function text(x: number, y: number, said: string, kind = "", anchor = "start"): string {
  const escaped = said.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text class="${kind}" x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${escaped}</text>`;
}

function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}
