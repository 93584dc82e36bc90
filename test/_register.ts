import { Client } from "@colyseus/sdk";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { startReceiver, type ReceivedSpan, type Receiver } from "../demo/receiver/receiver.ts";
import { until } from "./_server.ts";

interface Message {
  readonly type: string;
  readonly port: number;
  readonly traced?: boolean;
  /** How many ports it listens on. */
  readonly ports?: number;
}

/** What one player of these apps leaves behind. */
export const JOURNEY = [
  "gameserver.boot",
  "gameserver.boot.listen",
  "gameserver.boot.load",
  "gameserver.boot.prepare",
  "matchmake arena",
  "room.join arena",
  "room.on_join arena",
  "session.lifecycle",
  "session.phase.in_game",
  "session.started",
];

const NOTHING = { AGONES_SDK_GRPC_PORT: undefined, NODE_OPTIONS: undefined, COLYSEUS_OTEL_ENDPOINTS: "0" };

/** `node --import colyseus-otel/register <args>`, from the package's own folder, with what is built. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ["--import", "colyseus-otel/register", ...args], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { ...process.env, NODE_ENV: "test", OTEL_SERVICE_NAME: "plain", ...NOTHING, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  const messages: Message[] = [];
  child.stdout!.on("data", (chunk: Buffer) => (output += String(chunk)));
  child.stderr!.on("data", (chunk: Buffer) => (output += String(chunk)));
  child.on("message", (message: Message) => message?.type?.endsWith(":listening") && messages.push(message));
  const closed = once(child, "close");
  onTestFinished(() => void child.kill("SIGKILL"));
  return {
    output: () => output,
    async listening(): Promise<Message> {
      await until(`the listening game; it said: ${output}`, () => messages.length > 0, 15_000);
      return messages[0]!;
    },
    async stop(): Promise<number | null> {
      child.kill("SIGTERM");
      await closed;
      return child.exitCode;
    },
    async exit(): Promise<number | null> {
      await closed;
      return child.exitCode;
    },
  };
}

export const app = (name: string) => fileURLToPath(new URL(`./apps/${name}`, import.meta.url));

/** Starts the app, plays a player in and out, and gives what the receiver holds once the app has ended by itself. */
export async function playedSpans(name: string, env: NodeJS.ProcessEnv = {}) {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const game = start([app(name)], { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env });
  const { port } = await game.listening();
  await play(port);
  expect(await game.stop(), game.output()).toBe(0);
  return { game, receiver, spans: byName(receiver) };
}

export async function play(port: number): Promise<void> {
  const room = await new Client(`http://127.0.0.1:${port}`).joinOrCreate("arena");
  await room.leave();
}

export function byName({ spans }: Receiver): ReadonlyMap<string, ReceivedSpan> {
  return new Map(spans.map((span) => [span.name, span]));
}

/** Has a module that is loaded before the preload look at every module that is loaded: an environment. */
export function watchingLoads(look: string): NodeJS.ProcessEnv {
  const code = `
    import { registerHooks } from "node:module";
    globalThis.loaded = [];
    registerHooks({ load(url, context, next) { ${look}; return next(url, context); } });`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}
