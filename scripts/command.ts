import { spawn } from "node:child_process";
import { once } from "node:events";

export interface Ran {
  readonly passed: boolean;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

/** Runs a program to its end. */
export async function command(
  [file, ...args]: readonly [string, ...string[]],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Ran> {
  const child = spawn(file, args, {
    cwd,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => output.push(part));
  child.stderr.on("data", (part: Buffer) => output.push(part));
  try {
    const [code] = await once(child, "close");
    return { passed: code === 0, output: Buffer.concat(output).toString() };
  } catch (error) {
    return { passed: false, output: `${String(error)}: npm ci installs what is missing` };
  }
}
