import { delimiter, join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { CHECKS, type Check } from "./checks.ts";
import { command } from "./command.ts";

interface Outcome {
  readonly check: Check;
  readonly passed: boolean;
  readonly output: string;
}

const root = join(import.meta.dirname, "..");
const path = [join(root, "node_modules", ".bin"), process.env["PATH"]].join(delimiter);
// On a pipe isTTY is undefined, which createColors() takes for its default: colours wherever CI is set.
const color = pc.createColors(process.stdout.isTTY ? pc.isColorSupported : false);
const { only } = readOptions();

const began = performance.now();
const outcomes: Outcome[] = [];
for (const check of only) {
  outcomes.push(await perform(check));
}
process.exitCode = summarize(outcomes, performance.now() - began);

function readOptions(): { readonly only: readonly Check[] } {
  return new Command("npm run verify --")
    .description("Checks everything that is no test; exits 1 naming what failed.")
    .option("--only <names>", "some of the checks, by name, with commas between", parseNames, CHECKS)
    .addHelpText("after", `\nChecks:\n${CHECKS.map(({ name, doc }) => `  ${name.padEnd(15)}${doc}`).join("\n")}`)
    .allowExcessArguments(false)
    .parse()
    .opts();
}

function parseNames(list: string): Check[] {
  const names = list.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !CHECKS.some((check) => check.name === name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`"${unknown}" is none of ${CHECKS.map(({ name }) => name).join(", ")}.`);
  }
  return CHECKS.filter(({ name }) => names.includes(name));
}

async function perform(check: Check): Promise<Outcome> {
  process.stdout.write(`${check.name.padEnd(15)}${check.doc.padEnd(55)}`);
  const start = performance.now();
  const { passed, output } = await command(check.command, root, { PATH: path, COLUMNS: "100" });
  console.log(`${passed ? color.green("ok    ") : color.red("FAILED")} ${seconds(performance.now() - start)}`);
  if (!passed) {
    console.log(`\n${color.bold(`$ ${check.command.join(" ")}`)}\n${output.trim()}\n`);
  }
  return { check, passed, output };
}

/** Prints what came out, and gives the exit code. */
function summarize(all: readonly Outcome[], milliseconds: number): number {
  const failed = all.filter(({ passed }) => !passed).map(({ check }) => check.name);
  const text =
    failed.length === 0
      ? color.green(`verify: all ${all.length} checks passed`)
      : color.red(`verify: ${failed.length} of ${all.length} checks failed: ${failed.join(", ")}`);
  console.log(`${text} in ${seconds(milliseconds).trim()}`);
  return failed.length === 0 ? 0 : 1;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1).padStart(5)} s`;
}
