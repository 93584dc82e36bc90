import { Command, CommanderError, InvalidArgumentError } from "commander";
import { PART_NAMES, type PartName } from "./parts.ts";

export interface BenchOptions {
  readonly only?: readonly PartName[];
  readonly quick: boolean;
  /** Absent: as many as the part's figure needs. */
  readonly rounds?: number;
  readonly handicap: boolean;
  readonly writeDocs: boolean;
}

/** Reads the command line. Ends the process by itself after `--help` (0) and after what it does not know (2). */
export function readOptions(argv: readonly string[]): BenchOptions {
  const command = new Command("npm run bench --")
    .description(
      "Measures a game server with this plugin beside the same server without it, and beside what a user would pick " +
        "instead; judges the bars. The full run takes about 25 minutes on two cores and writes bench/results.json.",
    )
    .option("--only <parts>", `some of: ${PART_NAMES.join(", ")} (repeat it, or commas); writes nothing`, partsIn)
    .option("--quick", "touch every part in under two minutes: shows its noise, judges and writes nothing", false)
    .option("--rounds <number>", "interleaved rounds of every part, instead of each part's own number", atLeastOne)
    .option(
      "--handicap",
      "slow ours by 100 us in auth, join and leave and by 20 ms at boot, to see that it shows",
      false,
    )
    .option("--write-docs", "put the results of the full run into docs/performance.md and its pictures", false)
    .configureHelp({ helpWidth: 100 })
    .configureOutput({ outputError: (text, write) => write(`bench: ${text.replace(/^error: /, "")}`) })
    .allowExcessArguments(false)
    .exitOverride();
  try {
    const options = command.parse(argv, { from: "user" }).opts<BenchOptions>();
    if (options.writeDocs && !isFull(options)) {
      command.error("error: --write-docs needs the full run, without --only, --quick and --handicap");
    }
    return options;
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    throw error;
  }
}

/** Only what was measured whole is written down. */
export function isFull({ only, quick, handicap }: BenchOptions): boolean {
  return !only && !quick && !handicap;
}

function partsIn(given: string, before: readonly PartName[] = []): readonly PartName[] {
  const names = given.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !(PART_NAMES as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`"${unknown}" is no part; there are ${PART_NAMES.join(", ")}.`);
  }
  return [...before, ...(names as PartName[])];
}

function atLeastOne(given: string): number {
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1) {
    throw new InvalidArgumentError("A whole number from 1 is needed.");
  }
  return number;
}
