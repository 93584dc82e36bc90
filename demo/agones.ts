import { connect } from "node:net";
import type { SidecarReport } from "../standins/sidecar-main.ts";
import type { Say } from "./narrator.ts";
import { startProcess } from "./processes.ts";

export interface Agones {
  /** Of the sidecar. */
  readonly port: number;
  /** `host:port` of the allocation service; undefined when the sidecar is somebody else's. */
  readonly allocator: string | undefined;
  /** Tells the allocation service where the game beside the sidecar listens. */
  register(port: number): Promise<void>;
}

/** The sidecar that listens already, or a stand-in for it and for the allocation service. */
export async function startAgones(stack: AsyncDisposableStack, say: Say): Promise<Agones> {
  const wanted = Number(process.env.AGONES_SDK_GRPC_PORT ?? 9357);
  if (wanted !== 0 && (await listens(wanted))) {
    say("sidecar", `the one on port ${wanted} is used; it is not ours, so there is no allocation service`);
    return { port: wanted, allocator: undefined, register: () => Promise.resolve() };
  }
  const env = { AGONES_SDK_GRPC_PORT: String(wanted) };
  const file = "../standins/sidecar-main.ts";
  const standIn = stack.use(startProcess({ file, name: "the Agones stand-in", env }));
  type Ready = Extract<SidecarReport, { type: "sidecar:listening" }>;
  const { port, allocationPort } = await standIn.heard<Ready>("sidecar:listening", 10_000);
  const allocator = `127.0.0.1:${allocationPort}`;
  say("sidecar", `process ${standIn.pid} stands in for Agones on port ${port}: nothing listened on ${wanted}`);
  say("allocator", `the same process allocates on ${allocator}`);
  const register = async (game: number): Promise<void> => {
    standIn.tell({ type: "sidecar:game", port: game });
    await standIn.heard("sidecar:registered", 5_000);
  };
  return { port, allocator, register };
}

function listens(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ port, host: "localhost", timeout: 1_000 });
  socket.once("connect", () => resolve(true));
  socket.once("timeout", () => resolve(false));
  socket.once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}
