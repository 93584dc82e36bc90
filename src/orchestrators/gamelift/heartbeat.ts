import { within } from "../../internal/deadline.ts";
import { describe, warn } from "../../internal/report.ts";
import type { Timings } from "./timings.ts";

/** The game's own word on its health; without one a server is healthy that can say so. */
export type HealthCheck = () => boolean | Promise<boolean>;

/** Beats at once, and then each minute, more or less. */
export function startHeartbeat(
  send: (healthy: boolean) => Promise<unknown>,
  health: HealthCheck | undefined,
  timings: Timings,
): () => void {
  let timer: NodeJS.Timeout;
  let stopped = false;

  async function beat(): Promise<void> {
    const jitter = (Math.random() * 2 - 1) * timings.heartbeatJitter;
    timer = setTimeout(() => void beat(), timings.heartbeat + jitter).unref();
    const healthy = health ? await ask(health, timings.health) : true;
    if (!stopped) {
      // Told as a fault already, and the next one comes in a minute.
      await send(healthy).catch(() => {});
    }
  }

  void beat();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

async function ask(health: HealthCheck, timeout: number): Promise<boolean> {
  try {
    const asked = (async () => health())();
    return await within(timeout, asked, () => new Error(`no answer in ${timeout} ms`));
  } catch (error) {
    warn(
      "gamelift health",
      `the health check failed, GameLift is told that this server is not well: ${describe(error)}`,
    );
    return false;
  }
}
