import { connect as connectTcp } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { seconds, within } from "../../internal/deadline.ts";
import { describe } from "../../internal/report.ts";
import { loadClient } from "./client.ts";
import { sidecarAddress, type AgonesSdk } from "./sdk.ts";

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;

export interface Connected {
  readonly sdk: AgonesSdk;
  readonly attempts: number;
}

/**
 * Connects inside the deadline (milliseconds). The port is tried first, with growing pauses: gRPC's own retry would wait
 * a second and more for a sidecar that comes up 50 ms late.
 */
export async function connectSidecar(deadline: number): Promise<Connected> {
  const until = performance.now() + deadline;
  const loading = loadClient();
  loading.catch(() => {});
  const attempts = await waitForPort(until, deadline);
  const sdk = await loading;
  const { host, port } = sidecarAddress();
  const left = Math.max(1, until - performance.now());
  try {
    await within(left, sdk.connect(), () => new Error("no answer"));
  } catch (error) {
    sdk.close();
    throw new Error(
      `the Agones sidecar at ${host}:${port} accepts connections but does not speak gRPC (${describe(error)}): ` +
        `gave up after ${seconds(deadline)}. Does AGONES_SDK_GRPC_PORT name the sidecar's gRPC port?`,
      { cause: error },
    );
  }
  return { sdk, attempts };
}

async function waitForPort(until: number, deadline: number): Promise<number> {
  const { host, port } = sidecarAddress();
  let pause = FIRST_PAUSE_MS;
  for (let attempts = 1; ; attempts += 1) {
    const problem = await tryPort(host, port, Math.max(1, until - performance.now()));
    if (problem === undefined) {
      return attempts;
    }
    if (performance.now() + pause > until) {
      throw new Error(
        `no Agones sidecar at ${host}:${port} (gRPC): ${attempts} connection attempts in ${seconds(deadline)}, last: ${problem}. ` +
          "Is the sidecar running beside this server, and does AGONES_SDK_GRPC_PORT name its port?",
      );
    }
    await wait(pause, undefined, { ref: false });
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** Undefined when something listens there, else what went wrong. */
function tryPort(host: string, port: number, timeout: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port, timeout });
    const settle = (problem: string | undefined) => {
      socket.destroy();
      resolve(problem);
    };
    socket.once("connect", () => settle(undefined));
    socket.once("timeout", () => settle("ETIMEDOUT"));
    socket.once("error", (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
  });
}
