import { Command, CommanderError, Option } from "commander";

export interface DemoOptions {
  readonly once: boolean;
  readonly trust: "continue" | "link" | "ignore";
  readonly zeroCode: boolean;
}

/** Reads the command line. Ends the process by itself after `--help` (0) and after what it does not know (2). */
export function readOptions(argv: readonly string[]): DemoOptions {
  const command = new Command("npm start --")
    .description("Plays one server's boot and six players' ways through it, and draws the traces that came of it.")
    .option("--once", "play once; exit 0, or 1 with the name of each missing link", false)
    .addOption(
      new Option("--trust <mode>", "what the server does with the player's trace context")
        .choices(["continue", "link", "ignore"])
        .default("continue"),
    )
    .option("--zero-code", "run the arena without instrument(), by --import colyseus-otel/register", false)
    .addHelpText("after", ENVIRONMENT)
    .allowExcessArguments(false)
    .exitOverride();
  try {
    return command.parse(argv, { from: "user" }).opts<DemoOptions>();
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    throw error;
  }
}

const ENVIRONMENT = `
Environment:
  OTEL_EXPORTER_OTLP_ENDPOINT  every process exports there (OTLP/gRPC), and the demo judges and draws nothing itself
  AGONES_SDK_GRPC_PORT         an Agones sidecar that listens there is used, and then nothing is allocated: exit 1;
                               else a stand-in is started, with an allocation service (default 9357; 0: always a
                               stand-in, on a free port)
  PORT, ADMIN_PORT             of the game server (default 0: free ones)`;
