import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { dashboardFiles } from "./dashboards.ts";
import { readResults } from "./matrix/results.ts";
import { pageWith } from "./matrix/table.ts";
import { referencePages } from "./reference.ts";

const root = join(import.meta.dirname, "..");
const { check } = new Command("npm run docs --")
  .description(
    "Writes docs/spans.md, docs/metrics.md and deploy/grafana from src/conventions.ts and scripts/dashboards, and the README's table of what test:matrix ran.",
  )
  .option("--check", "write nothing; exit 1 naming the files that are out of date", false)
  .allowExcessArguments(false)
  .parse()
  .opts<{ check: boolean }>();

const readme = pageWith((await current("README.md")) ?? "", await readResults());

for (const [path, text] of [...referencePages(), ...dashboardFiles(), ["README.md", readme] as const]) {
  if ((await current(path)) === text) {
    continue;
  }
  if (check) {
    console.error(`${path} is out of date: npm run docs`);
    process.exitCode = 1;
  } else {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
    console.log(`${path} written`);
  }
}

async function current(path: string): Promise<string | undefined> {
  try {
    return await readFile(join(root, path), "utf8");
  } catch {
    return undefined;
  }
}
