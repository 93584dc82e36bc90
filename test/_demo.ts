import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The two ways in which the demo's game server is traced. */
export const HOWS = [
  { how: "with its two lines", args: [] },
  { how: "without code", args: ["--zero-code"] },
];

interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** What `npm start -- ...` runs once the package is built. */
export async function play(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const demo = spawn(process.execPath, [fileURLToPath(new URL("../demo/main.ts", import.meta.url)), ...args], {
    env: { ...process.env, AGONES_SDK_GRPC_PORT: "0", OTEL_EXPORTER_OTLP_ENDPOINT: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  demo.stdout.on("data", (chunk: Buffer) => (output += String(chunk)));
  demo.stderr.on("data", (chunk: Buffer) => (output += String(chunk)));
  const [code] = (await once(demo, "close")) as [number | null];
  return { code, output };
}
