import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import type { SidecarOptions } from "./agones-sidecar.ts";
import type { GameServer, GameServerChange } from "./game-server.ts";
import type { SidecarReport, SidecarRequest } from "./sidecar-main.ts";

export interface Ports {
  readonly port: number;
  readonly httpPort: number;
}

/** One process of sidecar-main.ts, from its start to its death. */
export interface Life extends Ports {
  /** Undefined when the process is dead, or dies before it has answered. */
  update(change: GameServerChange): Promise<GameServer | undefined>;
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  /** SIGKILL. Resolves when the process is gone and all it told has been heard. */
  kill(): Promise<void>;
}

/** @throws Error when it cannot listen */
export async function startLife(
  options: SidecarOptions & Ports,
  heard: (report: SidecarReport) => void,
): Promise<Life> {
  const child = forkSidecar(options);
  // The channel closes after its last message was read, which may be after the exit.
  const dead = Promise.all([once(child, "exit"), once(child, "disconnect")]).then(() => undefined);
  child.on("message", heard);
  const listening = await Promise.race([firstReport(child), dead]);
  if (listening?.type !== "sidecar:listening") {
    throw new Error(listening?.type === "sidecar:failed" ? listening.message : "the sidecar ended before it listened");
  }
  let updates = 0;
  return {
    port: listening.port,
    httpPort: listening.httpPort,
    update: (change) => {
      if (!child.connected) return dead;
      const id = ++updates;
      const request: SidecarRequest = { type: "sidecar:update", id, change };
      child.send(request, () => {
        // Its error is that the process died: `dead` tells.
      });
      return Promise.race([answer(child, id), dead]);
    },
    signal: (signal) => void child.kill(signal),
    kill: async () => {
      child.kill("SIGKILL");
      await dead;
    },
  };
}

function forkSidecar({ port, httpPort, ...options }: SidecarOptions & Ports): ChildProcess {
  return fork(new URL("sidecar-main.ts", import.meta.url), {
    execArgv: [],
    env: {
      ...process.env,
      AGONES_SDK_GRPC_PORT: String(port),
      AGONES_SDK_HTTP_PORT: String(httpPort),
      AGONES_STANDIN_OPTIONS: JSON.stringify(options),
    },
  });
}

async function firstReport(child: ChildProcess): Promise<SidecarReport> {
  const [report] = (await once(child, "message")) as [SidecarReport];
  return report;
}

function answer(child: ChildProcess, id: number): Promise<GameServer> {
  const { promise, resolve } = Promise.withResolvers<GameServer>();
  const listen = (report: SidecarReport): void => {
    if (report.type !== "sidecar:updated" || report.id !== id) return;
    child.off("message", listen);
    resolve(report.gameServer);
  };
  child.on("message", listen);
  return promise;
}
