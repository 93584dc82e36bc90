import { startProcess, type Process } from "../demo/processes.ts";
import type { Counts, ReceiverReport, ReceiverRequest } from "./receiver.ts";
import type { SidecarReport, SidecarRequest } from "./sidecar.ts";
import { here } from "./variants.ts";

/** What stands around the servers under test: each a process of its own. */
export interface Stage {
  readonly receiver: Receiver;
  /** Ours is slowed on purpose. */
  readonly handicap: boolean;
  /** A stand-in for one server. */
  openSidecar(): Promise<Sidecar>;
}

export interface Sidecar extends Disposable {
  /** Of gRPC. */
  readonly port: number;
  readonly httpPort: number;
  /** When it showed Ready: nanoseconds of {@link process.hrtime}. */
  ready(): Promise<bigint>;
}

export interface Receiver {
  readonly endpoint: string;
  /** How many spans of this service came so far, by name. */
  counts(service: string): Promise<Counts>;
}

const PATIENCE_MS = 30_000;
let opened = 0;

/** @param stack ends what was started */
export async function startStage(stack: AsyncDisposableStack, handicap: boolean): Promise<Stage> {
  const sidecars = stack.use(startProcess({ file: here("sidecar.ts"), name: "the Agones stand-ins" }));
  const receiver = stack.use(startProcess({ file: here("receiver.ts"), name: "the OTLP receiver" }));
  type Listening = Extract<ReceiverReport, { type: "receiver:listening" }>;
  const { endpoint } = await receiver.heard<Listening>("receiver:listening", PATIENCE_MS);
  return { handicap, openSidecar: () => openSidecar(sidecars), receiver: receiverOf(receiver, endpoint) };
}

async function openSidecar(sidecars: Process): Promise<Sidecar> {
  const ask = (request: SidecarRequest) => sidecars.tell(request);
  // Servers start at once, and each has to hear its own answer.
  const id = (opened += 1);
  ask({ type: "sidecar:open", id });
  type Listening = Extract<SidecarReport, { type: `sidecar:listening:${number}` }>;
  const { port, httpPort } = await sidecars.heard<Listening>(`sidecar:listening:${id}`, PATIENCE_MS);
  return {
    port,
    httpPort,
    async ready() {
      type Ready = Extract<SidecarReport, { type: `sidecar:ready:${number}` }>;
      return BigInt((await sidecars.heard<Ready>(`sidecar:ready:${port}`, PATIENCE_MS)).at);
    },
    [Symbol.dispose]: () => ask({ type: "sidecar:close", port }),
  };
}

function receiverOf(child: Process, endpoint: string): Receiver {
  return {
    endpoint,
    async counts(service) {
      child.tell({ type: "receiver:ask", service } satisfies ReceiverRequest);
      type Answer = Extract<ReceiverReport, { type: `receiver:counts:${string}` }>;
      return (await child.heard<Answer>(`receiver:counts:${service}`, PATIENCE_MS)).counts;
    },
  };
}
