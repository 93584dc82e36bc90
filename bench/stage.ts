import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { startProcess, type Process } from "../demo/processes.ts";
import type { ReceiverReport } from "./receiver.ts";
import type { SidecarReport } from "./sidecar.ts";

/** Who is measured: an app, and a name for this process of it. */
export type AppName = "ours" | "bare";

/** What stands around the server under test: each a process of its own. */
export interface Stage {
  readonly sidecar: Sidecar;
  readonly receiver: Receiver;
}

export interface Sidecar {
  /** A fresh one on a fresh port. */
  renew(): Promise<number>;
  /** When the fresh one showed Ready: nanoseconds of {@link process.hrtime}. */
  ready(): Promise<bigint>;
}

export interface Receiver {
  readonly endpoint: string;
  /** How many spans came so far, by name. */
  counts(): Promise<Readonly<Record<string, number>>>;
}

const PATIENCE_MS = 30_000;

/** @param stack ends what was started */
export async function startStage(stack: AsyncDisposableStack): Promise<Stage> {
  const sidecar = stack.use(startProcess({ file: here("sidecar.ts"), name: "the Agones stand-in" }));
  const receiver = stack.use(startProcess({ file: here("receiver.ts"), name: "the OTLP receiver" }));
  type Listening = Extract<ReceiverReport, { type: "receiver:listening" }>;
  const { endpoint } = await receiver.heard<Listening>("receiver:listening", PATIENCE_MS);
  return { sidecar: sidecarOf(sidecar), receiver: receiverOf(receiver, endpoint) };
}

export function appFile(app: AppName): string {
  return fileURLToPath(here(`apps/${app}.mjs`));
}

/** The environment of a server under test, the same for every app. */
export async function appEnvironment({ sidecar, receiver }: Stage): Promise<Record<string, string>> {
  const [sidecarPort, port] = [await sidecar.renew(), await freePort()];
  return {
    NODE_ENV: "production",
    PORT: String(port),
    AGONES_SDK_GRPC_PORT: String(sidecarPort),
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
  };
}

/** File URL of a file in this folder. */
export function here(file: string): string {
  return new URL(file, import.meta.url).href;
}

function sidecarOf(child: Process): Sidecar {
  return {
    async renew() {
      child.tell({ type: "sidecar:renew" });
      type Listening = Extract<SidecarReport, { type: "sidecar:listening" }>;
      return (await child.heard<Listening>("sidecar:listening", PATIENCE_MS)).port;
    },
    async ready() {
      type Ready = Extract<SidecarReport, { type: "sidecar:ready" }>;
      return BigInt((await child.heard<Ready>("sidecar:ready", PATIENCE_MS)).at);
    },
  };
}

function receiverOf(child: Process, endpoint: string): Receiver {
  return {
    endpoint,
    async counts() {
      child.tell({ type: "receiver:ask" });
      type Counts = Extract<ReceiverReport, { type: "receiver:counts" }>;
      return (await child.heard<Counts>("receiver:counts", PATIENCE_MS)).counts;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
