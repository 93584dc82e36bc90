import { loadAllYaml } from "@kubernetes/client-node";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { prometheusName } from "../scripts/reference.ts";
import { METRICS, type MetricConvention } from "../src/conventions.ts";

const root = join(import.meta.dirname, "..");

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Selected {
  readonly name: string;
  readonly labels: readonly string[];
}

export function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

export function readYaml<T>(path: string): T[] {
  return loadAllYaml(readText(path)) as T[];
}

export function readRules(): Rule[] {
  const files = readYaml<{ readonly groups: readonly { readonly rules: Rule[] }[] }>("deploy/prometheus/rules.yaml");
  return files.flatMap(({ groups }) => groups).flatMap(({ rules }) => rules);
}

/** Our metrics by each name that they have on `/metrics`. */
export function exposedNames(): ReadonlyMap<string, MetricConvention> {
  return new Map(
    Object.values<MetricConvention>(METRICS).flatMap((metric) => {
      const suffixes = metric.kind === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      return suffixes.map((suffix) => [prometheusName(metric) + suffix, metric] as const);
    }),
  );
}

const KEYWORDS = new Set("by without on ignoring group_left group_right and or unless offset bool".split(" "));

/** What a query selects: whatever is no function, keyword, label or string. With the labels that it matches. */
export function selectedBy(query: string): Selected[] {
  const bare = query
    .replaceAll(/#.*$/gm, "")
    .replaceAll(/"(?:\\.|[^"])*"|'(?:\\.|[^'])*'/g, "_")
    .replaceAll(/\[[^\]]*\]/g, "")
    .replaceAll(/offset\s+\$?\w+/g, "")
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, "");
  return Array.from(bare.matchAll(/([a-zA-Z_:][\w:]*)\s*(\{[^}]*\}|\()?/g))
    .filter(([, name, after]) => after !== "(" && !KEYWORDS.has(name!) && name !== "_")
    .map(([, name, after = ""]) => ({
      name: name!,
      labels: Array.from(after.matchAll(/(\w+)\s*[=!]/g), ([, label]) => label!),
    }));
}

/** The labels that a query groups or joins by. */
export function groupedBy(query: string): string[] {
  return Array.from(query.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g)).flatMap(([, labels]) =>
    labels!.split(",").map((label) => label.trim()),
  );
}
