import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { createWaiters } from "../standins/waiters.ts";

export interface Report {
  readonly type: string;
}

export interface Process extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** Aborted when the process is gone; the reason is an Error with its exit code and last lines. */
  readonly gone: AbortSignal;
  tell(message: object): void;
  /**
   * The next message of this type, also when it came before the call.
   * @param timeout in milliseconds
   * @throws Error when it does not come in time or the process ends first, with the process's last lines
   */
  heard<Message extends Report>(type: Message["type"], timeout: number): Promise<Message>;
  /** SIGTERM, then after `patience` milliseconds (default 5,000) SIGKILL. Resolves with the exit code or signal. */
  stop(patience?: number): Promise<number | string>;
}

export interface ProcessOptions {
  /** Relative to this folder. */
  readonly file: string;
  readonly name: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What `--import` loads before the file, as URLs. */
  readonly preload?: readonly string[];
}

/** Forks a Node process that leaves when this one does, however this one ends. */
export function startProcess({ file, name, env = {}, preload = [] }: ProcessOptions): Process {
  const child = fork(new URL(file, import.meta.url), {
    env: { ...process.env, ...env },
    execArgv: [new URL("leave-with-parent.ts", import.meta.url).href, ...preload].flatMap((url) => ["--import", url]),
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // A group of its own: a terminal's Ctrl-C would reach every process at once, and the demo ends them in order.
    detached: true,
  });
  const output = lastLines(child);
  const gone = new AbortController();
  const inbox: Report[] = [];
  const waiters = createWaiters(() => output());
  // @pm2/io, which Colyseus brings, talks on the same channel (`axm:*`): only what is asked for is ever taken out.
  child.on("message", (message) => {
    inbox.push(message as Report);
    waiters.changed();
  });
  child.once("close", (code, signal) => {
    gone.abort(new Error(`${name} ended with ${signal ?? code}: ${output()}`));
    waiters.abandon(`${name} ended with ${signal ?? code}`);
  });
  const stop = (patience = 5_000) => stopChild(child, patience);
  return {
    name,
    pid: child.pid ?? 0,
    gone: gone.signal,
    tell: (message) => void (child.connected && child.send(message)),
    heard: async <Message extends Report>(type: Message["type"], timeout: number) => {
      gone.signal.throwIfAborted();
      const at = () => inbox.findIndex((message) => message.type === type);
      await waiters.waitFor(() => at() >= 0, timeout, `"${type}" from ${name}`);
      return inbox.splice(at(), 1)[0] as Message;
    },
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

async function stopChild(child: ChildProcess, patience: number): Promise<number | string> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), patience);
    await exit;
    clearTimeout(timer);
  }
  return child.signalCode ?? child.exitCode ?? 0;
}

const KEPT_LINES = 12;

function lastLines(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text = (text + chunk).split("\n").slice(-KEPT_LINES).join("\n");
    });
  return () => text.trim() || "it printed nothing";
}
