import { setTimeout as wait } from "node:timers/promises";
import { isReadyRequested } from "./game-server.ts";
import { isRefusal, type Sidecar } from "./sidecar.ts";

const AGAIN_MS = 250;
const LOOK_MS = 5000;
/** Whoever waits for the answer gives up first, and says it in words of ours. */
const SLACK_MS = 500;

type Asked = Pick<Sidecar, "ready" | "shutdown" | "getGameServer">;

/**
 * Asks for Ready until it is answered, or until `until` (`performance.now()`); then rejects with the last error. A
 * sidecar that died may have heard it: a second Ready() would take an allocated server out of its match, so the
 * GameServer is looked at first.
 */
export async function askForReady(sidecar: Asked, until: number): Promise<void> {
  for (;;) {
    try {
      await sidecar.ready(left(until) + SLACK_MS);
      return;
    } catch (error) {
      if (isRefusal(error) || performance.now() + AGAIN_MS > until) {
        throw error;
      }
    }
    if (await wasHeard(sidecar, until)) {
      return;
    }
  }
}

/** Says that the server is done, until it is answered. */
export async function askForShutdown(sidecar: Asked, until: number): Promise<void> {
  for (;;) {
    try {
      await sidecar.shutdown(left(until) + SLACK_MS);
      return;
    } catch (error) {
      if (isRefusal(error) || performance.now() + AGAIN_MS > until) {
        throw error;
      }
      await wait(AGAIN_MS, undefined, { ref: false });
    }
  }
}

async function wasHeard(sidecar: Asked, until: number): Promise<boolean> {
  while (performance.now() + AGAIN_MS < until) {
    await wait(AGAIN_MS, undefined, { ref: false });
    const gameServer = await sidecar.getGameServer(Math.min(LOOK_MS, left(until))).catch(() => undefined);
    if (gameServer) {
      return isReadyRequested(gameServer);
    }
  }
  return false;
}

function left(until: number): number {
  return Math.max(1, until - performance.now());
}
