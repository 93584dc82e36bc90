import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import pc from "picocolors";
import type { Ran } from "./command.ts";
import { createApp } from "./matrix/apps.ts";
import { LINES, type Line } from "./matrix/lines.ts";
import { createProject, pack } from "./matrix/project.ts";
import { writeResult } from "./matrix/results.ts";
import { runSuite, type SuiteResult } from "./matrix/run-suite.ts";
import { countsText, isGood, type Counts } from "./vitest-report.ts";

interface Options {
  readonly only: readonly Line[];
  readonly without: readonly Line[];
  readonly keep: boolean;
}

interface Outcome extends SuiteResult {
  readonly line: Line;
}

// On a pipe isTTY is undefined, which createColors() takes for its default: colours wherever CI is set.
const color = pc.createColors(process.stdout.isTTY ? pc.isColorSupported : false);
const nameWidth = Math.max(...LINES.map(({ name }) => name.length)) + 2;
const docWidth = Math.max(...LINES.map(({ doc }) => doc.length)) + 2;
const { only, without, keep } = readOptions();
const lines = only.filter((line) => !without.includes(line));

const began = performance.now();
const projects: Record<string, Promise<Ran>> = {};
const folder = temporaryFolder();
const tarball = await pack(join(folder, "package"));
console.log(`packed in ${secondsSince(began)}; each line is installed, then tested`);
process.exitCode = summarize(await performAll());

function readOptions(): Options {
  return new Command("npm run test:matrix --")
    .description(
      "Tests the packed package beside what users have; exits 1 naming what failed. What came out goes to test/matrix/results.json, from which `npm run docs` makes the README's table.",
    )
    .addOption(
      new Option("--only <names>", "some of the lines, by name, with commas between")
        .argParser(parseNames)
        .default(LINES, "all"),
    )
    .addOption(new Option("--without <names>", "lines to leave out").argParser(parseNames).default([], "none"))
    .option("--keep", "leave the projects of the lines where they are, and say where", false)
    .addHelpText("after", `\nLines:\n${LINES.map(({ name, doc }) => `  ${name.padEnd(nameWidth)}${doc}`).join("\n")}`)
    .allowExcessArguments(false)
    .parse()
    .opts();
}

function parseNames(list: string): Line[] {
  const names = list.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !LINES.some((line) => line.name === name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`"${unknown}" is none of ${LINES.map(({ name }) => name).join(", ")}.`);
  }
  return LINES.filter(({ name }) => names.includes(name));
}

/** Removed however this process ends, unless it is kept. */
function temporaryFolder(): string {
  // Where the folder for temporary files is a link, npm and Node would name one file in two ways.
  const made = realpathSync(mkdtempSync(join(tmpdir(), "colyseus-otel-matrix-")));
  process.once("exit", () => (keep ? console.log(`kept in ${made}`) : rmSync(made, { recursive: true, force: true })));
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
  return made;
}

/** One suite at a time, for its waits are timed; the next line is installed meanwhile. */
async function performAll(): Promise<Outcome[]> {
  const all: Outcome[] = [];
  let next = install(lines[0]);
  for (const [at, line] of lines.entries()) {
    process.stdout.write(`${line.name.padEnd(nameWidth)}${line.doc.padEnd(docWidth)}`);
    const installed = await next;
    next = install(lines[at + 1]);
    const outcome = await perform(line, installed);
    await writeResult(LINES, outcome);
    all.push(outcome);
  }
  return all;
}

async function install(line: Line | undefined): Promise<Ran> {
  if (!line) {
    return { passed: true, output: "" };
  }
  projects[line.project] ??= createProject(join(folder, line.project), line, tarball);
  const project = await projects[line.project]!;
  return line.app && project.passed ? createApp(join(folder, line.name), line.app, tarball) : project;
}

async function perform(line: Line, installed: Ran): Promise<Outcome> {
  const start = performance.now();
  const app = line.app ? JSON.stringify({ ...line.app, home: join(folder, line.name, line.app.folder) }) : "";
  const result = installed.passed
    ? await runSuite(line, join(folder, line.project), app)
    : { passed: 0, failed: 1, skipped: 0, output: installed.output };
  const mark = isGood(result) ? color.green("ok    ") : color.red("FAILED");
  console.log(`${mark} ${countsText(result)} in ${secondsSince(start)}`);
  if (!isGood(result)) {
    console.log(`\n${result.output.trim()}\n`);
  }
  return { line, ...result };
}

/** Prints what came out, and gives the exit code. */
function summarize(all: readonly Outcome[]): number {
  for (const { name } of without) {
    console.log(color.yellow(`${name.padEnd(nameWidth)}NOT RUN`));
  }
  const bad = all.filter((outcome) => !isGood(outcome)).map(({ line }) => line.name);
  const sum = (kind: keyof Counts) => all.reduce((total, outcome) => total + outcome[kind], 0);
  const text =
    bad.length === 0
      ? color.green(`test:matrix: all ${all.length} lines passed`)
      : color.red(`test:matrix: ${bad.length} of ${all.length} lines failed: ${bad.join(", ")}`);
  console.log(
    `${text}; ${countsText({ passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") })} in ${secondsSince(began)}`,
  );
  return bad.length === 0 ? 0 : 1;
}

function secondsSince(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
