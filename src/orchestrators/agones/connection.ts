import { connect as connectTcp } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { seconds, within } from "../../internal/deadline.ts";
import { describe } from "../../internal/report.ts";
import { addressOf, type Sidecar, type Way } from "./sidecar.ts";

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;

export interface Connected {
  readonly sidecar: Sidecar;
  readonly attempts: number;
}

/**
 * Connects inside the deadline (milliseconds). The port is tried first, with growing pauses: gRPC's own retry would wait
 * a second and more for a sidecar that comes up 50 ms late.
 */
export async function connectSidecar(way: Way, deadline: number): Promise<Connected> {
  const until = performance.now() + deadline;
  const loading = way.open();
  loading.catch(() => {});
  const attempts = await waitForPort(way, until, deadline);
  const sidecar = await loading;
  try {
    await connect(sidecar, until);
  } catch (error) {
    sidecar.close();
    const { port, protocol, variable } = way;
    const what = port === undefined ? "does not answer" : `accepts connections but does not speak ${protocol}`;
    const hint = port === undefined ? "" : ` Does ${variable} name the sidecar's ${protocol} port?`;
    throw new Error(
      `the Agones sidecar ${addressOf(way)} ${what} (${describe(error)}): gave up after ${seconds(deadline)}.${hint}`,
      { cause: error },
    );
  }
  return { sidecar, attempts };
}

/** One that dies on the way is tried again. */
async function connect(sidecar: Sidecar, until: number): Promise<void> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const left = Math.max(1, until - performance.now());
    try {
      await within(left, sidecar.connect(left), () => new Error("no answer"));
      return;
    } catch (error) {
      if (performance.now() + pause > until) {
        throw error;
      }
    }
    await wait(pause, undefined, { ref: false });
  }
}

async function waitForPort(way: Way, until: number, deadline: number): Promise<number> {
  if (way.port === undefined) {
    return 1;
  }
  let pause = FIRST_PAUSE_MS;
  for (let attempts = 1; ; attempts += 1) {
    const problem = await tryPort(way.host, way.port, Math.max(1, until - performance.now()));
    if (problem === undefined) {
      return attempts;
    }
    if (performance.now() + pause > until) {
      throw new Error(
        `no Agones sidecar ${addressOf(way)}: ${attempts} connection attempts in ${seconds(deadline)}, last: ${problem}. ` +
          `Is the sidecar running beside this server, and does ${way.variable} name its port?`,
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
