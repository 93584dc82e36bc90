import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { until } from "../_server.ts";

export interface ProgramOptions {
  /** Its arguments; `folder` is its own, and removed after it. */
  readonly args: (folder: string) => readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** What it prints when it is there. */
  readonly ready: RegExp;
}

/** A program that others wrote. */
export interface Program extends AsyncDisposable {
  /** Rejects as soon as the program is gone before its time, with what it said last. */
  readonly gone: Promise<never>;
  lastLines(): string;
  /** It takes bytes, and says nothing. */
  freeze(): void;
  thaw(): void;
  /** Ends it, as part of the test. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

const LAST_LINES = 12;
/** From a broken socket to the end of the process. */
const GONE_WITHIN_MS = 500;

export async function startProgram(path: string, { args, env, ready }: ProgramOptions): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), "colyseus-otel-real-"));
  const child = spawn(path, args(folder), { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += String(chunk)));
  child.stderr.on("data", (chunk: Buffer) => (output += String(chunk)));
  const closed = once(child, "close");
  let meant = false;
  const gone = closed.then(
    async ([code, signal]) =>
      meant ? new Promise<never>(() => {}) : Promise.reject(lost(path, String(signal ?? code), output)),
    async (error: Error) => Promise.reject(new Error(`${error.message}: npm run test:real says how to get it`)),
  );
  // Whoever needs the program looks.
  gone.catch(() => {});
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    meant = true;
    child.kill(signal);
    await closed;
  };
  const program: Program = {
    gone,
    lastLines: () => lastLines(output),
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    end,
    async [Symbol.asyncDispose]() {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
        await end("SIGKILL");
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
  // A test that fails may leave it behind.
  process.once("exit", () => child.kill("SIGKILL"));
  try {
    await Promise.race([until(`${path} to say ${ready}`, () => ready.test(output), 30_000), gone]);
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
  return program;
}

/** Plays with a program; that it is gone is told rather than the socket that broke with it. */
export async function playWith<T>(gone: Promise<never>, play: () => Promise<T>): Promise<T> {
  const playing = play().catch(async (error: unknown) => {
    await Promise.race([gone, wait(GONE_WITHIN_MS)]);
    throw error;
  });
  return Promise.race([gone, playing]);
}

function lost(path: string, how: string, output: string): Error {
  return new Error(`${path} was gone before the test was over: ${how}. It said last:\n${lastLines(output)}`);
}

function lastLines(output: string): string {
  return output.trim().split("\n").slice(-LAST_LINES).join("\n");
}
