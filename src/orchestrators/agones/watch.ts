import { describe, guard } from "../../internal/report.ts";
import type { Contact } from "./contact.ts";
import type { GameServer, Sidecar } from "./sidecar.ts";

/**
 * The sidecar sends its first message before it adds the stream to those that get updates; what changes in between is
 * sent with the next change, which may never come. So the sidecar is also asked: soon after a watch began, each second
 * while somebody waits, and else now and then.
 */
const SOON_MS = 1000;
const NOW_AND_THEN_MS = 5000;
const ASK_MS = 5000;
const AGAIN_MS = 250;

export interface WatchOptions {
  readonly sidecar: Pick<Sidecar, "getGameServer" | "watch">;
  readonly contact: Pick<Contact, "lost" | "back">;
  /** Each GameServer that was seen: repeated ones too, and now and then one that is older than the last. */
  onUpdate(gameServer: GameServer): void;
}

export interface Watch {
  /** Resolves with the first GameServer, seen from now on, that passes. Asks the sidecar at once. */
  until(passes: (gameServer: GameServer) => boolean): Promise<GameServer>;
  close(): void;
}

/** Follows the GameServer, and begins anew whenever the watch breaks. */
export function followGameServer({ sidecar, contact, onUpdate }: WatchOptions): Watch {
  const waiting = new Set<{ passes: (gameServer: GameServer) => boolean; resolve: (gameServer: GameServer) => void }>();
  let closed = false;
  let stop: (() => void) | undefined;
  let beginning: NodeJS.Timeout | undefined;
  let asking: NodeJS.Timeout | undefined;

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

  function begin(): void {
    try {
      stop = sidecar.watch((gameServer) => {
        contact.back("watch");
        seen(gameServer);
      }, broke);
    } catch (error) {
      // The program's own SDK object, which it has closed.
      broke(error);
    }
    askIn(SOON_MS);
  }

  function broke(problem: unknown): void {
    stop?.();
    stop = undefined;
    contact.lost("watch", `the watch broke: ${describe(problem)}`);
    beginning = closed ? undefined : setTimeout(begin, AGAIN_MS).unref();
  }

  function askIn(ms: number): void {
    clearTimeout(asking);
    asking = setTimeout(ask, ms).unref();
  }

  function ask(): void {
    if (closed) {
      return;
    }
    askIn(waiting.size > 0 ? SOON_MS : NOW_AND_THEN_MS);
    // Pings and watch say what is wrong where this fails.
    sidecar.getGameServer(ASK_MS).then(seen, () => {});
  }

  begin();
  return {
    until(passes) {
      return new Promise((resolve) => {
        waiting.add({ passes, resolve });
        ask();
      });
    },
    close() {
      closed = true;
      clearTimeout(beginning);
      clearTimeout(asking);
      stop?.();
    },
  };
}
