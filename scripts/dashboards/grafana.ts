import { prometheusName } from "../reference.ts";
import type { Dashboard, Panel, Query, Row, Variable } from "./panels.ts";

/** The last version of Grafana's classic model, which 13 still imports and provisions. */
const SCHEMA_VERSION = 42;
const WIDTH = 24;
const HEIGHT = { row: 1, stat: 4, timeseries: 8 };
const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

export function grafanaDashboard({ uid, title, doc, variables, rows }: Dashboard): object {
  return {
    uid,
    title,
    description: doc,
    tags: ["colyseus"],
    schemaVersion: SCHEMA_VERSION,
    editable: true,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: { list: [datasource(), ...variables.map(labelValues), windowOf()] },
    panels: layOut(rows),
  };
}

function layOut(rows: readonly Row[]): object[] {
  const panels: object[] = [];
  let y = 0;
  for (const { title, panels: inRow } of rows) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title,
      gridPos: { x: 0, y, w: WIDTH, h: HEIGHT.row },
      panels: [],
    });
    y += HEIGHT.row;
    for (const line of linesOf(inRow)) {
      const w = WIDTH / line.length;
      const h = Math.max(...line.map(({ kind = "timeseries" }) => HEIGHT[kind]));
      for (const [at, panel] of line.entries()) {
        panels.push({ id: panels.length + 1, ...drawn(panel), gridPos: { x: at * w, y, w, h } });
      }
      y += h;
    }
  }
  return panels;
}

/** At most four abreast, and no line much shorter than the others. */
function linesOf(panels: readonly Panel[]): Panel[][] {
  const lines = Math.ceil(panels.length / 4);
  const length = Math.ceil(panels.length / lines);
  return Array.from({ length: lines }, (_, at) => panels.slice(at * length, (at + 1) * length));
}

function drawn({ title, doc, unit, kind = "timeseries", queries }: Panel): object {
  return {
    type: kind,
    title,
    description: doc,
    datasource: DATASOURCE,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: kind === "stat" ? { reduceOptions: { calcs: ["lastNotNull"] } } : { tooltip: { mode: "multi" } },
    targets: queries.map(target),
  };
}

function target({ expr, legend }: Query, at: number): object {
  return { refId: String.fromCharCode(65 + at), datasource: DATASOURCE, expr, legendFormat: legend };
}

function datasource(): object {
  return { name: "datasource", label: "Data source", type: "datasource", query: "prometheus" };
}

function labelValues({ name, metric, label }: Variable): object {
  const query = `label_values(${prometheusName(metric)}, ${label})`;
  return {
    name,
    type: "query",
    datasource: DATASOURCE,
    query: { query, refId: name },
    refresh: 2,
    multi: true,
    includeAll: true,
    // Also the series without the label.
    allValue: ".*",
    current: { text: "All", value: "$__all" },
  };
}

function windowOf(): object {
  const choices = ["5m", "15m", "1h", "6h", "1d"];
  const options = choices.map((value) => ({ text: value, value, selected: value === "15m" }));
  const current = { text: "15m", value: "15m" };
  return { name: "window", label: "Window", type: "interval", query: choices.join(","), options, current };
}
