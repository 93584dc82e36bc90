import fc from "fast-check";
import { expect, test } from "vitest";
import { DASHBOARDS, dashboardFiles } from "../scripts/dashboards.ts";
import { grafanaDashboard } from "../scripts/dashboards/grafana.ts";
import type { Dashboard } from "../scripts/dashboards/panels.ts";
import { readText } from "./_deploy.ts";

interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Drawn {
  readonly templating: { readonly list: readonly { readonly name: string }[] };
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly gridPos: Box;
    readonly datasource?: { readonly uid: string };
    readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
  }[];
}

test("a dashboard's queries go to the data source that is chosen, and name no variable that it has not", () => {
  for (const path of dashboardFiles().keys()) {
    const { templating, panels } = JSON.parse(readText(path)) as Drawn;
    const known = templating.list.map(({ name }) => name);
    const drawn = panels.filter(({ type }) => type !== "row");
    expect(known).toContain("datasource");
    expect(new Set(drawn.map(({ datasource }) => datasource?.uid))).toEqual(new Set(["${datasource}"]));
    const queries = drawn.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const named = queries.flatMap((expr) => Array.from(expr.matchAll(/\$(\w+)/g), ([, name]) => name!));
    expect(named.filter((name) => ![...known, "__rate_interval"].includes(name))).toEqual([]);
    expect(
      known.filter((name) => !named.includes(name)),
      `${path}: variables without a use`,
    ).toEqual(["datasource"]);
  }
});

test("panels lie beside each other and never on one another, however many a row has", () => {
  const panel = fc.record({
    title: fc.string(),
    doc: fc.string(),
    unit: fc.constant("s" as const),
    kind: fc.constantFrom("stat" as const, "timeseries" as const),
    queries: fc.array(fc.record({ expr: fc.string(), legend: fc.string() }), { minLength: 1, maxLength: 3 }),
  });
  const rows = fc.array(fc.record({ title: fc.string(), panels: fc.array(panel, { minLength: 1, maxLength: 12 }) }));
  const dashboard = rows.map((rows): Dashboard => ({ uid: "x", title: "x", doc: "x", variables: [], rows }));
  fc.assert(
    fc.property(fc.oneof(dashboard, fc.constantFrom(...DASHBOARDS)), (dashboard) => {
      const { panels } = grafanaDashboard(dashboard) as Drawn;
      expect(panels).toHaveLength(dashboard.rows.reduce((sum, { panels }) => sum + panels.length + 1, 0));
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const cells = panels.flatMap(({ gridPos }) => cellsOf(gridPos));
      expect(new Set(cells).size).toBe(cells.length);
      expect(panels.filter(({ gridPos: { x, w } }) => !Number.isInteger(w) || x + w > 24)).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

function cellsOf({ x, y, w, h }: Box): string[] {
  return Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`);
}
