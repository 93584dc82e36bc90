import { describe, guard, warn } from "../../internal/report.ts";
import type { AgonesSdk, GameServer } from "./sdk.ts";

/**
 * The sidecar sends its first message before it adds the stream to those that get updates; what changes in between is
 * sent with the next change, which may never come. So whoever waits also asks now and then.
 */
const ASK_AGAIN_MS = 1000;

type Watched = Pick<AgonesSdk, "getGameServer" | "watchGameServer">;

export interface Watch {
  /** Resolves with the first GameServer, seen from now on, that passes. Asks the sidecar at once. */
  until(passes: (gameServer: GameServer) => boolean): Promise<GameServer>;
  close(): void;
}

/** Follows the GameServer. `onUpdate` sees each message, repeated ones too. */
export function watchGameServer(sdk: Watched, onUpdate: (gameServer: GameServer) => void): Watch {
  const waiting = new Set<{ passes: (gameServer: GameServer) => boolean; resolve: (gameServer: GameServer) => void }>();
  const asking = setInterval(ask, ASK_AGAIN_MS).unref();
  let closed = false;

  function seen(gameServer: GameServer): void {
    if (closed) {
      return;
    }
    guard("agones watch", () => onUpdate(gameServer));
    for (const waiter of waiting) {
      if (waiter.passes(gameServer)) {
        waiting.delete(waiter);
        waiter.resolve(gameServer);
      }
    }
  }

  function ask(): void {
    if (waiting.size > 0) {
      sdk.getGameServer().then(seen, (error: unknown) => {
        if (!closed) {
          warn("agones ask", `asking the Agones sidecar failed: ${describe(error)}`);
        }
      });
    }
  }

  sdk.watchGameServer(seen, (error) => {
    if (!closed) {
      warn(
        "agones watch",
        `the watch of the Agones sidecar broke, allocations are not seen any more: ${describe(error)}`,
      );
    }
  });

  return {
    until(passes) {
      return new Promise((resolve) => {
        waiting.add({ passes, resolve });
        ask();
      });
    },
    close() {
      closed = true;
      clearInterval(asking);
    },
  };
}
