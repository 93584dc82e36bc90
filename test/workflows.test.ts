import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { LINES } from "../scripts/matrix/lines.ts";

interface Workflow {
  readonly on: object;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly strategy?: { readonly matrix: { readonly lines: readonly string[] } };
  readonly steps: readonly { readonly run?: string; readonly uses?: string; readonly with?: Record<string, string> }[];
}

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const workflow = (name: string) => parse(read(`.github/workflows/${name}.yml`)) as Workflow;
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

test.each(["README.md", "CONTRIBUTING.md", ".github/workflows/ci.yml", ".github/workflows/release.yml", ".ci/run"])(
  "every npm script that %s names is there",
  (path) => {
    const named = [...read(path).matchAll(/npm (?:run (?:--silent )?([\w:]+)|(start|test)\b)/g)].map(
      ([, script, short]) => script ?? short!,
    );
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  },
);

test("CI runs each line of the matrix once", () => {
  const { lines } = workflow("ci").jobs["matrix"]!.strategy!.matrix;
  expect(lines.flatMap((names) => names.split(",")).sort()).toEqual(LINES.map(({ name }) => name).sort());
});

test("a release is published by the workflow, with provenance, and nothing else may write", () => {
  const { permissions, jobs } = workflow("release");
  expect(permissions["id-token"]).toBe("write");
  expect(jobs["release"]!.steps.flatMap((step) => step.with?.["publish"] ?? [])).toEqual(["npm run release"]);
  expect(workflow("ci").permissions).toEqual({ contents: "read" });
  expect(JSON.parse(read("package.json"))).toMatchObject({ publishConfig: { access: "public", provenance: true } });
  expect(JSON.parse(read(".changeset/config.json"))).toMatchObject({ access: "public", baseBranch: "main" });
});

test("CONTRIBUTING's map has every folder of src", () => {
  const folders = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const mapped = [...read("CONTRIBUTING.md").matchAll(/^\| `src\/(\w+)\/`/gm)].map(([, name]) => name!);
  expect(mapped.sort()).toEqual(folders.map(({ name }) => name).sort());
});
