import { Command, CommanderError, Option } from "commander";

/** Who can say when the game server may take players, each with the options that it cannot serve. */
const ORCHESTRATORS: Readonly<Record<OrchestratorName, readonly string[]>> = {
  agones: [],
  // One process plays one game session; and what is preloaded cannot know which player session a player came with.
  gamelift: ["--reused", "--zero-code"],
  none: ["--cold", "--reused"],
};

export type OrchestratorName = "agones" | "gamelift" | "none";

export interface DemoOptions {
  readonly once: boolean;
  /** No server is ready when the player comes. */
  readonly cold: boolean;
  /** Each match is allocated, one after the other, on one server. */
  readonly reused: boolean;
  readonly orchestrator: OrchestratorName;
  readonly trust: "continue" | "link" | "ignore";
  readonly zeroCode: boolean;
}

/** Reads the command line. Ends the process by itself after `--help` (0) and after what it does not take (2). */
export function readOptions(argv: readonly string[]): DemoOptions {
  const command = new Command("npm start --")
    .description("Plays a game server's boot and players' ways through it, and draws the traces that came of it.")
    .option("--once", "play once; exit 0, or 1 with the name of each missing link", false)
    .option("--cold", "no server is ready when the player comes: the fleet starts one", false)
    .addOption(
      new Option("--reused", "two matches, one after the other, on the same server").default(false).conflicts("cold"),
    )
    .addOption(
      new Option(
        "--orchestrator <name>",
        "who says when the game server may take players; gamelift: a stand-in, both sides of it",
      )
        .choices(Object.keys(ORCHESTRATORS))
        .default("agones"),
    )
    .addOption(
      new Option("--trust <mode>", "what the server does with the player's trace context")
        .choices(["continue", "link", "ignore"])
        .default("continue"),
    )
    .option(
      "--zero-code",
      "run the arena without instrument(), by --import colyseus-otel/register; not on gamelift",
      false,
    )
    .configureHelp({ helpWidth: 100 })
    .addHelpText("after", ENVIRONMENT)
    .allowExcessArguments(false)
    .exitOverride();
  try {
    const options = command.parse(argv, { from: "user" }).opts<DemoOptions>();
    refuseImpossible(command, options);
    return options;
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    throw error;
  }
}

// commander's conflicts() knows no values.
function refuseImpossible(command: Command, { orchestrator }: DemoOptions): void {
  for (const option of command.options) {
    const isGiven = command.getOptionValue(option.attributeName()) === true;
    if (isGiven && ORCHESTRATORS[orchestrator].includes(option.long ?? ""))
      command.error(`error: option '${option.long}' cannot be used with '--orchestrator ${orchestrator}'`);
  }
}

const ENVIRONMENT = `
Environment:
  OTEL_EXPORTER_OTLP_ENDPOINT  every process exports there (OTLP/gRPC), and the demo judges and
                               draws nothing itself
  AGONES_SDK_GRPC_PORT         an Agones sidecar that listens there is used, and then nothing is
                               allocated: exit 1; else a stand-in is started, with an allocation
                               service (default 9357; 0: always a stand-in, on a free port)
  PORT, ADMIN_PORT             of the game server (default 0: free ones)`;
