import { Command, CommanderError, InvalidArgumentError, Option } from "commander";

const BARS = ["boot", "join"] as const;

export interface BenchOptions {
  readonly only?: (typeof BARS)[number];
  readonly rounds: number;
  readonly writeDocs: boolean;
}

/** Reads the command line. Ends the process by itself after `--help` (0) and after what it does not know (2). */
export function readOptions(argv: readonly string[]): BenchOptions {
  const command = new Command("npm run bench --")
    .description("Measures a game server with this plugin beside the same server without it, and judges the bars.")
    .addOption(new Option("--only <bar>", "measure one bar; results.json and docs stay as they are").choices(BARS))
    .option("--rounds <number>", "interleaved rounds", atLeastOne, 8)
    .option("--write-docs", "put the table of both bars into docs/performance.md", false)
    .allowExcessArguments(false)
    .exitOverride();
  try {
    return command.parse(argv, { from: "user" }).opts<BenchOptions>();
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    throw error;
  }
}

function atLeastOne(given: string): number {
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1) {
    throw new InvalidArgumentError("A whole number from 1 is needed.");
  }
  return number;
}
