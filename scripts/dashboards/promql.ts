import type { MetricConvention } from "../../src/conventions.ts";
import { prometheusName } from "../reference.ts";

/** The dashboards' own range: servers come and go, so a panel that looks back for a minute sees little. */
const WINDOW = "$window";
const JOBS = 'job=~"$job"';

/** Series of a metric of ours, of the jobs that are chosen: `_bucket`, `_sum` and `_count` are a histogram's suffixes. */
export function select(metric: MetricConvention, matchers = "", suffix = ""): string {
  return machine(`${prometheusName(metric)}${suffix}`, matchers);
}

/** Series of the two packages that measure the machine and the runtime, by their name on `/metrics`. */
export function machine(name: string, matchers = ""): string {
  return `${name}{${[JOBS, matchers].filter(Boolean).join(",")}}`;
}

/**
 * How much a counter grew within the window, by labels. increase() takes a series' first sample for its zero: a server
 * that boots once, or ends after its match, would count for nothing.
 */
export function count(metric: MetricConvention, by: readonly string[] = [], matchers = "", suffix = ""): string {
  const series = select(metric, matchers, suffix);
  const grown = `last_over_time(${series}[${WINDOW}]) unless ${series} offset ${WINDOW} or increase(${series}[${WINDOW}])`;
  return sum(grown, by);
}

/** Of a histogram: how many were counted. */
export function counted(metric: MetricConvention, by: readonly string[] = [], matchers = ""): string {
  return count(metric, by, matchers, "_count");
}

export function quantile(q: number, metric: MetricConvention, by: readonly string[] = [], matchers = ""): string {
  return `histogram_quantile(${q}, ${count(metric, ["le", ...by], matchers, "_bucket")})`;
}

/** What none of is counted is a share of 0, and not a gap. */
export function share(part: string, whole: string): string {
  return `(${part} or 0 * ${whole}) / ${whole}`;
}

/** A second, by what Grafana knows of the scrape interval: for what happens all the time. */
export function rate(series: string, by: readonly string[] = []): string {
  return sum(`rate(${series}[$__rate_interval])`, by);
}

export function sum(series: string, by: readonly string[] = []): string {
  return `sum${clause(by)}(${series})`;
}

export function max(series: string, by: readonly string[] = []): string {
  return `max${clause(by)}(${series})`;
}

function clause(by: readonly string[]): string {
  return by.length > 0 ? ` by (${by.join(", ")}) ` : "";
}
