import { connect } from "node:net";
import type { SidecarReport } from "../standins/sidecar-main.ts";
import type { Say } from "./narrator.ts";
import type { Orchestration } from "./orchestration.ts";
import { startProcess } from "./processes.ts";

/** The sidecar that listens already, or a stand-in for it and for the allocation service. */
export async function startAgones(stack: AsyncDisposableStack, say: Say): Promise<Orchestration> {
  const wanted = Number(process.env.AGONES_SDK_GRPC_PORT ?? 9357);
  if (wanted !== 0 && (await listens(wanted))) {
    say("sidecar", `the one on port ${wanted} is used; it is not ours, so there is no allocation service`);
    return { env: envOf(wanted), allocator: undefined, register: () => Promise.resolve() };
  }
  const env = { AGONES_SDK_GRPC_PORT: String(wanted), AGONES_SDK_HTTP_PORT: "0" };
  const file = "../standins/sidecar-main.ts";
  const standIn = stack.use(startProcess({ file, name: "the Agones stand-in", env }));
  type Ready = Extract<SidecarReport, { type: "sidecar:listening" }>;
  const { port, httpPort, allocationPort } = await standIn.heard<Ready>("sidecar:listening", PATIENCE);
  const endpoint = `127.0.0.1:${allocationPort}`;
  say("sidecar", `process ${standIn.pid} stands in for Agones on port ${port}: nothing listened on ${wanted}`);
  say("allocator", `the same process allocates on ${endpoint}`);
  const register = async (game: number): Promise<void> => {
    standIn.tell({ type: "sidecar:game", port: game });
    await standIn.heard("sidecar:registered", PATIENCE);
  };
  const refusal = () => standIn.heard("sidecar:unallocated", PATIENCE);
  return {
    env: { ...envOf(port), AGONES_SDK_HTTP_PORT: String(httpPort) },
    allocator: {
      env: { AGONES_ALLOCATOR: endpoint },
      refusal,
      sayAllocated: (server) => `${server} is allocated; its annotation carries the trace context`,
    },
    register,
  };
}

const PATIENCE = 10_000;

function envOf(port: number) {
  return { ARENA_ORCHESTRATOR: "agones", AGONES_SDK_GRPC_PORT: String(port) };
}

function listens(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ port, host: "localhost", timeout: 1_000 });
  socket.once("connect", () => resolve(true));
  socket.once("timeout", () => resolve(false));
  socket.once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}
