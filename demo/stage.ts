import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { SidecarReport } from "../standins/sidecar-main.ts";
import { SERVICES } from "./expected.ts";
import type { Say } from "./narrator.ts";
import type { DemoOptions } from "./options.ts";
import { poll } from "./waiting.ts";
import type { Process } from "./processes.ts";
import { startProcess } from "./processes.ts";
import type { ReceiverReport } from "./receiver/main.ts";

/** The processes of the story, up and running. */
export interface Stage {
  readonly game: Process;
  /** `ws://host:port` of the game server. */
  readonly url: string;
  /** `http://host:port` of its /metrics, /readyz and so on; undefined when the game could not open them. */
  readonly admin: string | undefined;
  /** Takes the allocator's part; undefined when the sidecar is somebody else's. */
  readonly sidecar: Process | undefined;
  /** Undefined when the user has an endpoint of their own. */
  readonly receiver: Process | undefined;
  readonly otlpEndpoint: string;
  readonly ticketSecret: string;
}

/** @param stack ends what was started, the last first: the game still has its receiver and its sidecar while it ends */
export async function startStage(
  stack: AsyncDisposableStack,
  { trust }: Pick<DemoOptions, "trust">,
  say: Say,
): Promise<Stage> {
  const [telemetry, agones] = await Promise.all([startReceiver(stack, say), startSidecar(stack, say)]);
  const ticketSecret = randomBytes(16).toString("hex");
  const game = stack.use(
    startGame({
      AGONES_SDK_GRPC_PORT: String(agones.port),
      OTEL_EXPORTER_OTLP_ENDPOINT: telemetry.endpoint,
      ARENA_TRUST: trust,
      ARENA_TICKET_SECRET: ticketSecret,
    }),
  );
  say("game", `process ${game.pid} boots, trust "${trust}"`);
  const { port, endpoints } = await game.heard<Listening>("arena:listening", 15_000);
  const admin = endpoints && `http://${endpoints.host}:${endpoints.port}`;
  say("game", `listens on port ${port}${admin === undefined ? "" : `, admin endpoints on ${admin}`}`);
  const stage: Stage = {
    game,
    url: `ws://127.0.0.1:${port}`,
    admin,
    sidecar: agones.process,
    receiver: telemetry.process,
    otlpEndpoint: telemetry.endpoint,
    ticketSecret,
  };
  await gameIs("ready", stage);
  say("game", "Ready, seen by Agones");
  return stage;
}

function startGame(env: Readonly<Record<string, string>>): Process {
  return startProcess({
    file: "../example-server/server.ts",
    name: "the game server",
    env: {
      PORT: process.env.PORT ?? "0",
      ADMIN_PORT: process.env.ADMIN_PORT ?? "0",
      OTEL_SERVICE_NAME: SERVICES.game,
      // The story's boot is a root: the shell that runs the demo may itself be traced.
      TRACEPARENT: undefined,
      TRACESTATE: undefined,
      ...env,
    },
  });
}

/** Waits until the game server's own /readyz says so: an operator would look at the same page. */
export async function gameIs(state: "ready" | "allocated", { game, admin }: Stage): Promise<void> {
  if (admin === undefined) return;
  const ask = async () => {
    const response = await fetch(`${admin}/readyz`).catch(() => undefined);
    if (!response?.ok) return undefined;
    const body = (await response.json()) as { readonly state: string };
    // A server that an earlier run has left allocated is ready too.
    return state === "ready" || body.state === state ? true : undefined;
  };
  await poll(`${admin}/readyz to say "${state}"`, ask, { timeout: 10_000, unless: game.gone });
}

interface Listening {
  readonly type: "arena:listening";
  readonly port: number;
  readonly endpoints: { readonly host: string; readonly port: number } | undefined;
}

async function startReceiver(stack: AsyncDisposableStack, say: Say) {
  const endpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint) {
    say("receiver", `none started: every process exports to ${endpoint} (OTEL_EXPORTER_OTLP_ENDPOINT)`);
    return { process: undefined, endpoint };
  }
  const receiver = stack.use(startProcess({ file: "receiver/main.ts", name: "the OTLP receiver" }));
  type Ready = Extract<ReceiverReport, { type: "receiver:listening" }>;
  const ready = await receiver.heard<Ready>("receiver:listening", 10_000);
  say("receiver", `process ${receiver.pid} takes OTLP/gRPC on ${ready.endpoint}`);
  return { process: receiver, endpoint: ready.endpoint };
}

async function startSidecar(stack: AsyncDisposableStack, say: Say) {
  const wanted = Number(process.env.AGONES_SDK_GRPC_PORT ?? 9357);
  if (wanted !== 0 && (await listens(wanted))) {
    say("sidecar", `one listens on port ${wanted} and is used; it is not ours, so nobody here can play the allocation`);
    return { process: undefined, port: wanted };
  }
  const env = { AGONES_SDK_GRPC_PORT: String(wanted) };
  const file = "../standins/sidecar-main.ts";
  const sidecar = stack.use(startProcess({ file, name: "the Agones stand-in", env }));
  type Ready = Extract<SidecarReport, { type: "sidecar:listening" }>;
  const { port } = await sidecar.heard<Ready>("sidecar:listening", 10_000);
  say("sidecar", `process ${sidecar.pid} stands in for Agones on port ${port}: nothing listened on ${wanted}`);
  return { process: sidecar, port };
}

function listens(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ port, host: "localhost", timeout: 1_000 });
  socket.once("connect", () => resolve(true));
  socket.once("timeout", () => resolve(false));
  socket.once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}
