import { execFile, type ExecFileException } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/**
 * Name and version of what a suite runs against; `progress` is told what takes long.
 *
 * @throws MissingError that says what is not there
 */
export type Find = (progress: (line: string) => void) => Promise<string>;

/** What a suite needs is not on this machine. */
export class MissingError extends Error {
  override readonly name = "MissingError";
}

/** A program that is found by its name. */
export function inPath(name: string, ...args: readonly string[]): Find {
  return async () => `${name} ${await versionOf(name, args)}`;
}

/** A program whose path the caller gives. */
export function byVariable(variable: string, ...args: readonly string[]): Find {
  return async () => {
    const path = process.env[variable];
    if (!path) {
      throw new MissingError(`${variable} is not set`);
    }
    return `${path} ${await versionOf(path, args)}`;
  };
}

/** @throws MissingError where the program is not there, Error where it does not run */
export async function versionOf(program: string, args: readonly string[]): Promise<string> {
  const output = await outputOf(program, args);
  // One that logs JSON has a time in it, which comes first and looks like a version.
  const [version] = /(?<="version":")[^"]+/.exec(output) ?? /\d+\.\d+[\w.+~-]*/.exec(output) ?? [];
  if (version === undefined) {
    throw new Error(`${program} tells no version: ${output.trim()}`);
  }
  return version;
}

const PATIENCE_MS = 30_000;

/** Some say their version and end with an error. */
async function outputOf(program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await execute(program, args, { timeout: PATIENCE_MS });
    return stdout + stderr;
  } catch (error) {
    const { code, stdout, stderr, message } = error as ExecFileException;
    if (code === "ENOENT") {
      throw new MissingError(`no ${program}`, { cause: error });
    }
    if (typeof code === "string") {
      throw new Error(message, { cause: error });
    }
    return `${stdout}${stderr}`;
  }
}
