import type { MetricConvention } from "../../src/conventions.ts";
import { quantile } from "./promql.ts";

export interface Query {
  readonly expr: string;
  /** As Grafana writes it: `{{room}}` is a label's value. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** What to see in it, for who has not made it. */
  readonly doc: string;
  /** Grafana's name of the unit. */
  readonly unit: "s" | "short" | "percentunit" | "bytes" | "Bps" | "cps";
  /** @default timeseries */
  readonly kind?: "stat" | "timeseries";
  readonly queries: readonly Query[];
}

export interface Variable {
  readonly name: string;
  /** Where its values come from: a label of a metric. */
  readonly metric: MetricConvention;
  readonly label: string;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly doc: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

/** One query, for all series of it. */
export function one(legend: string, expr: string): readonly Query[] {
  return [{ legend, expr }];
}

/** P50, P95 and P99 of a histogram. */
export function percentiles(
  metric: MetricConvention,
  by: readonly string[] = [],
  matchers = "",
  levels: readonly number[] = [0.5, 0.95, 0.99],
): readonly Query[] {
  const labels = by.map((label) => `{{${label}}} `).join("");
  return levels.map((level) => ({
    legend: `${labels}P${level * 100}`,
    expr: quantile(level, metric, by, matchers),
  }));
}
