import { SpanKind } from "@opentelemetry/api";
import {
  ATTRIBUTES,
  ERROR_TYPES,
  EVENTS,
  METRICS,
  SPANS,
  type MetricConvention,
  type SpanConvention,
} from "../src/conventions.ts";

/** The reference pages, by path from the repository's root. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/spans.md", spansPage()],
    ["docs/metrics.md", metricsPage()],
  ]);
}

/** As the JavaScript exporter spells it: no unit behind the name, and `_total` behind a counter's. */
export function prometheusName({ name, kind }: Pick<MetricConvention, "name" | "kind">): string {
  return `${name.replaceAll(".", "_")}${kind === "counter" ? "_total" : ""}`;
}

const GENERATED = "Generated from `src/conventions.ts` by `npm run docs`.";

function spansPage(): string {
  const spans = Object.values(SPANS).map((span) => [code(spanName(span)), SpanKind[span.kind], span.doc]);
  const attributes = Object.values(ATTRIBUTES).map(({ key, doc }) => [code(key), doc]);
  return page(
    "# Spans",
    `${GENERATED} \`{room}\` is the room's type, as the server defines it.`,
    table(["span", "kind", "from → to"], spans),
    "## Attributes",
    "Of spans, of links, and where it says so of the resource. Ids stand here and never on metrics.",
    table(["attribute", "what"], attributes),
    "## Events",
    table(
      ["event", "what"],
      Object.values(EVENTS).map(({ name, doc }) => [code(name), doc]),
    ),
    "## Error types",
    `Values of ${code(ATTRIBUTES.errorType.key)}. An expected refusal (room full, bad ticket) carries one without the status Error.`,
    Object.values(ERROR_TYPES).map(code).join(", "),
  );
}

function metricsPage(): string {
  const metrics = Object.values<MetricConvention>(METRICS);
  const rows = metrics.map((metric) => [
    code(metric.name),
    code(prometheusName(metric)),
    metric.kind,
    code(metric.unit),
    metric.labels.map(code).join(", "),
    metric.doc,
  ]);
  const histograms = metrics.filter(({ buckets }) => buckets !== undefined);
  return page(
    "# Metrics",
    `${GENERATED} Durations are in seconds. Labels take bounded values: room types, outcomes, phases.`,
    table(["metric", "on `/metrics`", "kind", "unit", "labels", "what"], rows),
    "## Buckets",
    "Upper bounds. On `/metrics` a histogram is `_bucket`, `_sum` and `_count` behind its name.",
    table(
      ["metric", "buckets"],
      histograms.map(({ name, buckets = [] }) => [code(name), buckets.join(", ")]),
    ),
  );
}

function spanName({ name }: SpanConvention): string {
  return name === SPANS.matchmake.name || name.startsWith("room.") ? `${name} {room}` : name;
}

function page(...blocks: readonly string[]): string {
  return `${blocks.join("\n\n")}\n`;
}

function table(header: readonly string[], rows: readonly (readonly (string | undefined)[])[]): string {
  const line = (cells: readonly (string | undefined)[]) =>
    `| ${cells.map((cell = "") => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

function code(text: string): string {
  return `\`${text}\``;
}
