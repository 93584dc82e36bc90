import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { InMemoryMetricExporter, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import { startTelemetry } from "colyseus-otel/sdk";
import { DASHBOARDS } from "../scripts/dashboards.ts";
import { prometheusName } from "../scripts/reference.ts";
import { METRICS } from "../src/conventions.ts";
import { exposedNames, groupedBy, readRules, readText, selectedBy } from "./_deploy.ts";
import { until } from "./_server.ts";

const PAGES = ["README.md", ...readdirSync(join(import.meta.dirname, "../docs")).map((name) => `docs/${name}`)].filter(
  (path) => path.endsWith(".md"),
);
/** Of Prometheus itself, and of the exporter's text. */
const EVERYWHERE = ["job", "instance", "le", "alertname", "alertstate"];

const rules = readRules();
const recorded = new Map(rules.flatMap(({ record, expr }) => (record ? [[record, groupedBy(expr)]] : [])));

const panels = DASHBOARDS.flatMap(({ uid, rows }) =>
  rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) =>
      queries.map(({ expr, legend }) => ({ where: `${uid}: ${title}`, expr, legend })),
    ),
  ),
);
const alerts = rules.map(({ alert, record, expr }) => ({ where: alert ?? record!, expr, legend: "" }));
const snippets = PAGES.flatMap((path) =>
  Array.from(readText(path).matchAll(/```promql\n(.*?)```/gs), ([, expr]) => ({
    where: path,
    expr: expr!,
    legend: "",
  })),
);

test("queries of dashboards, rules and docs select metrics that are emitted, by labels that they have", async () => {
  const ours = exposedNames();
  const machine = await machineLabels();
  const wrong = [...panels, ...alerts, ...snippets].flatMap(({ where, expr, legend }) => {
    const selected = selectedBy(expr);
    const labelsOf = (name: string) =>
      ours.get(name)?.labels.map((label) => label.replaceAll(".", "_")) ?? machine.get(name) ?? recorded.get(name);
    const known = new Set([...EVERYWHERE, ...selected.flatMap(({ name }) => labelsOf(name) ?? [])]);
    const shown = Array.from(legend.matchAll(/\{\{(\w+)\}\}/g), ([, label]) => label!);
    return [
      ...selected.filter(({ name }) => !labelsOf(name)).map(({ name }) => `${where}: ${name}`),
      ...selected.flatMap(({ name, labels }) =>
        labels
          .filter((label) => ![...EVERYWHERE, ...(labelsOf(name) ?? [])].includes(label))
          .map((label) => `${where}: ${name}{${label}}`),
      ),
      ...groupedBy(expr)
        .filter((label) => label !== "" && !known.has(label))
        .map((label) => `${where}: by (${label})`),
      ...shown.filter((label) => !groupedBy(expr).includes(label)).map((label) => `${where}: {{${label}}}`),
    ];
  });
  expect(wrong).toEqual([]);
  expect(snippets.length).toBeGreaterThan(1);
});

test("a name in a query that is no metric is seen, wherever it stands", () => {
  const name = fc.stringMatching(/^[a-z]{3,8}_[a-z]{3,8}$/);
  const around = fc.constantFrom(
    (metric: string) => metric,
    (metric: string) => `sum by (le, room) (rate(${metric}{room=~"a{2}\\"b",job!='c'}[5m])) > 0.5`,
    (metric: string) => `1 - sum(${metric}) / on (job) group_left () count(${metric}{a="b"} offset 5m)`,
    (metric: string) => `histogram_quantile(0.9, ${metric}[$window] offset $window) # ${metric}s`,
    (metric: string) => `(last_over_time(${metric}[10m]) unless ${metric} offset 10m or increase(${metric}[10m]))`,
  );
  fc.assert(
    fc.property(name, around, (metric, around) => {
      expect([...new Set(selectedBy(around(metric)).map(({ name }) => name))]).toEqual([metric]);
    }),
  );
});

test("every metric of ours stands on a dashboard, but for the gauges of another SDK", () => {
  const shown = new Set(panels.flatMap(({ expr }) => selectedBy(expr)).map(({ name }) => name));
  const unseen = Object.values(METRICS)
    .map((metric) => prometheusName(metric))
    .filter((name) => ![name, `${name}_bucket`, `${name}_sum`, `${name}_count`].some((exposed) => shown.has(exposed)));
  expect(unseen.filter((name) => !/_(p50|p99|max)$/.test(name))).toEqual([]);
});

test("every alert has a severity, a summary, and a runbook that names a page which is there", () => {
  const named = readText("deploy/prometheus/rules.test.yaml");
  for (const { alert, labels, annotations } of rules.filter(({ alert }) => alert)) {
    expect(["page", "ticket"], alert).toContain(labels?.["severity"]);
    expect(annotations?.["summary"], alert).toMatch(/\w/);
    const [, page, anchor] = /((?:docs\/)?[\w-]+\.md)(?:#([\w-]+))?$/.exec(annotations?.["runbook"] ?? "") ?? [];
    const headings = Array.from(readText(page ?? `${alert}: no page`).matchAll(/^#+ (.*)$/gm), ([, text]) =>
      text!
        .toLowerCase()
        .replaceAll(/[^\w -]/g, "")
        .replaceAll(" ", "-"),
    );
    expect([undefined, ...headings], alert).toContain(anchor);
    expect(named, `${alert} in rules.test.yaml`).toContain(`"${alert}"`);
  }
});

/** Names on `/metrics`, with their labels, of what the packages for host and runtime measure here. */
async function machineLabels(): Promise<ReadonlyMap<string, readonly string[]>> {
  vi.stubEnv("OTEL_TRACES_EXPORTER", "none");
  const exporter = new InMemoryMetricExporter(0);
  const metricReaders = [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 600_000 })];
  await using telemetry = startTelemetry({ load: "now", metricReaders, host: true, runtime: true });
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const found = new Map<string, readonly string[]>();
  // Some are told from the second look on, and garbage has to be collected once.
  const looked = async () => {
    collectGarbage();
    await telemetry.flush(10_000);
    const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
    for (const { descriptor, dataPoints } of metrics) {
      const labels = Object.keys(dataPoints[0]?.attributes ?? {}).map((label) => label.replaceAll(".", "_"));
      for (const suffix of ["", "_total", "_sum", "_count", "_bucket"]) {
        found.set(descriptor.name.replaceAll(".", "_") + suffix, labels);
      }
    }
    return ["nodejs_eventloop_delay_p99", "v8js_gc_duration", "system_cpu_time"].every((name) => found.has(name));
  };
  await until("all that the machine measures", looked, 15_000);
  vi.unstubAllEnvs();
  return found;
}
