import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { MissingError } from "./real/program.ts";
import { runSuite } from "./real/run-suite.ts";
import { SUITES, type Suite } from "./real/suites.ts";
import { countsText, isGood } from "./vitest-report.ts";

interface Asked {
  readonly without?: readonly string[];
  readonly only?: readonly string[];
}

interface Outcome {
  readonly suite: Suite;
  readonly mark: "ok" | "FAILED" | "MISSING" | "NOT RUN";
  readonly text: string;
}

// On a pipe isTTY is undefined, which createColors() takes for its default: colours wherever CI is set.
const color = pc.createColors(process.stdout.isTTY ? pc.isColorSupported : false);
const paints = { ok: color.green, FAILED: color.red, MISSING: color.red, "NOT RUN": color.yellow };
const names = SUITES.map(({ name }) => name);
const asked = readOptions();

const began = performance.now();
const outcomes: Outcome[] = [];
for (const suite of SUITES) {
  outcomes.push(await outcomeOf(suite));
}
process.exitCode = summarize();

function readOptions(): Asked {
  const command = new Command("npm run test:real --")
    .description(
      "Tests against programs that others wrote. Exits 1 naming what failed or is missing, 2 for an unknown suite.",
    )
    .option("--without <name>", "leave a suite out; more than one: again", collectName)
    .option("--only <name>", "no suite but this one; more than one: again", collectName)
    .addHelpText("after", `\nSuites:\n${SUITES.map(({ name, doc }) => `  ${name.padEnd(15)}${doc}`).join("\n")}`)
    .allowExcessArguments(false)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  const options = command.parse().opts<Asked>();
  if (names.every((name) => leftOut(name, options))) {
    command.error("error: nothing is left to run");
  }
  return options;
}

function collectName(name: string, before: readonly string[] = []): string[] {
  if (!names.includes(name)) {
    throw new InvalidArgumentError(`"${name}" is none of ${names.join(", ")}.`);
  }
  return [...before, name];
}

/** The option that leaves a suite out. */
function leftOut(name: string, { without, only }: Asked): string | undefined {
  if (without?.includes(name)) {
    return "--without";
  }
  return only && !only.includes(name) ? "--only" : undefined;
}

async function outcomeOf(suite: Suite): Promise<Outcome> {
  const option = leftOut(suite.name, asked);
  if (option !== undefined) {
    return { suite, mark: "NOT RUN", text: `(${option})` };
  }
  const say = (line: string) => console.log(`${color.bold(suite.name)}: ${line}`);
  let program: string;
  try {
    program = await suite.find(say);
  } catch (error) {
    const missing = error instanceof MissingError;
    const text = `${(error as Error).message}${missing ? `: ${suite.install}` : ""}`;
    say(color.red(text));
    return { suite, mark: missing ? "MISSING" : "FAILED", text };
  }
  say(`against ${program}`);
  const start = performance.now();
  const counts = await runSuite(suite);
  const text = `${countsText(counts)} in ${secondsSince(start)}, against ${program}`;
  return { suite, mark: isGood(counts) ? "ok" : "FAILED", text };
}

/** Prints what came out, and gives the exit code. */
function summarize(): number {
  const bad = outcomes.filter(({ mark }) => mark === "FAILED" || mark === "MISSING");
  console.log(`\n${color.bold("test:real")} in ${secondsSince(began)}`);
  for (const { suite, mark, text } of outcomes) {
    console.log(`${suite.name}: ${paints[mark](mark)} ${text}`);
  }
  return bad.length === 0 ? 0 : 1;
}

function secondsSince(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
