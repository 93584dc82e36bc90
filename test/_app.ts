import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { AgonesOptions } from "colyseus-otel/agones";
import { until } from "./_server.ts";

/** What test/apps/game.ts is told. */
export interface AppOptions {
  /** @default true: startTelemetry() */
  readonly sdk?: boolean;
  readonly agones?: Pick<AgonesOptions, "deadline" | "healthInterval">;
  readonly port?: number;
  readonly endpoints?: { readonly port: number } | false;
  /** Milliseconds that beforeListen takes, or that it throws. */
  readonly beforeListen?: number | "throw";
  /** Milliseconds of a map load before instrument(). */
  readonly earlyMap?: number;
  /** Milliseconds that the server's onBeforeShutdown takes. */
  readonly beforeShutdown?: number;
  /** Milliseconds that each room's onLeave takes, with `drainDeadline` for instrument(). */
  readonly slowLeave?: number;
  readonly drainDeadline?: number;
  /** `session.linger` for instrument(). */
  readonly linger?: number;
  /** Shut down without an exit: the process ends when nothing keeps it alive. */
  readonly stopByItself?: boolean;
  /** Exit 7 as soon as listen() rejects. */
  readonly exitOnFailure?: boolean;
}

interface Message {
  readonly type: string;
  readonly port?: number;
  readonly reason?: string;
  /** Epoch milliseconds. */
  readonly at?: number;
  readonly endpoints?: { readonly host: string; readonly port: number };
}

export interface App extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Epoch milliseconds before the fork. */
  readonly spawnedAt: number;
  /** All that it wrote to stdout and stderr. */
  output(): string;
  /** The message of this type, once it came. */
  message(type: string, timeout?: number): Promise<Message>;
  /** All of this type so far. */
  messages(type: string): Message[];
  /** Exit code, once it ended. */
  exit(timeout?: number): Promise<number | null>;
}

/** The game as a process of its own. */
export function startApp(app: AppOptions, env: NodeJS.ProcessEnv = {}): App {
  return startAppOf("game.ts", app, env);
}

/** A program of test/apps that is told as the game is. */
export function startAppOf(
  file: string,
  app: object & Pick<AppOptions, "stopByItself">,
  env: NodeJS.ProcessEnv = {},
): App {
  const spawnedAt = performance.timeOrigin + performance.now();
  // A channel would keep the process alive that is to end by itself.
  const channel = app.stopByItself ? [] : ["ipc" as const];
  const child = spawn(process.execPath, [fileURLToPath(new URL(`./apps/${file}`, import.meta.url))], {
    env: { ...process.env, NODE_ENV: "test", OTEL_SERVICE_NAME: "game", ...env, APP: JSON.stringify(app) },
    stdio: ["ignore", "pipe", "pipe", ...channel],
  });
  let output = "";
  const messages: Message[] = [];
  child.stdout!.on("data", (chunk: Buffer) => (output += String(chunk)));
  child.stderr!.on("data", (chunk: Buffer) => (output += String(chunk)));
  // @pm2/io sends messages of its own on this channel.
  child.on("message", (message: Message) => message?.type?.startsWith("app:") && messages.push(message));
  const exited = once(child, "close");
  return {
    child,
    spawnedAt,
    output: () => output,
    async message(type, timeout = 10_000) {
      await until(
        `${type} of the game; it said: ${output}`,
        () => messages.some((message) => message.type === type),
        timeout,
      );
      return messages.find((message) => message.type === type)!;
    },
    messages: (type) => messages.filter((message) => message.type === type),
    async exit(timeout = 10_000) {
      await until(
        `the game's exit; it said: ${output}`,
        () => child.exitCode !== null || child.signalCode !== null,
        timeout,
      );
      await exited;
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await exited;
      }
    },
  };
}
