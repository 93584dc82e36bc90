import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** One request: name and id of each of its spans. */
export type TakenRequest = readonly (readonly [name: string, spanId: string])[];

/** A collector in a process of its own, on one port for all its lives. */
export interface Collector extends AsyncDisposable {
  readonly endpoint: string;
  /** Every request that it ever took, over all lives. */
  requests(): TakenRequest[];
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** SIGSTOP: it takes connections and bytes, and says nothing. */
  freeze(): void;
  thaw(): void;
}

export async function startCollector(): Promise<Collector> {
  const folder = mkdtempSync(join(tmpdir(), "collector-"));
  const file = join(folder, "requests");
  let { child, port } = await live(file, 0);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests: () =>
      existsSync(file)
        ? readFileSync(file, "utf8")
            .split("\n")
            .slice(0, -1)
            .map((line) => JSON.parse(line) as TakenRequest)
        : [],
    async kill() {
      const exited = once(child, "exit");
      child.send({ type: "receiver:die" });
      await exited;
    },
    async restart() {
      ({ child, port } = await live(file, port));
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, "exit");
        child.kill("SIGKILL");
        await exited;
      }
      rmSync(folder, { recursive: true });
    },
  };
}

async function live(file: string, port: number): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(new URL("./apps/receiver.ts", import.meta.url)), [file, String(port)]);
  const [message] = (await once(child, "message")) as [{ readonly port: number }];
  return { child, port: message.port };
}
