import type { GameServer } from "./game-server.ts";
import type { Traffic } from "./sidecar-traffic.ts";

/** One open watch, over either transport. */
export interface Watcher {
  send(gameServer: GameServer): void;
  end(): void;
  fail(): void;
}

export interface Watchers {
  /** Sends the GameServer as it is, and then each update until `leave` is called. */
  add(watcher: Watcher, gameServer: () => GameServer): { leave(): void };
  updated(gameServer: GameServer): void;
  endAll(): void;
  failAll(): void;
  lose(updates: number): void;
  repeat(on: boolean): void;
  race(run: () => void): void;
}

export function createWatchers({ answer }: Pick<Traffic, "answer">): Watchers {
  const open = new Set<Watcher>();
  let toLose = 0;
  let copies = 1;
  let race: (() => void) | undefined;
  const deliver = (watcher: Watcher, gameServer: GameServer): void => {
    for (let copy = 0; copy < copies; copy += 1) answer(() => watcher.send(gameServer));
  };
  const finish = (how: (watcher: Watcher) => void): void => {
    for (const watcher of open) {
      open.delete(watcher);
      how(watcher);
    }
  };
  return {
    add: (watcher, gameServer) => {
      deliver(watcher, gameServer());
      // The order of WatchGameServer() in sdkserver.go: whatever changes here, this watcher is not told.
      const racing = race;
      race = undefined;
      racing?.();
      open.add(watcher);
      return { leave: () => void open.delete(watcher) };
    },
    updated: (gameServer) => {
      if (toLose > 0) toLose -= 1;
      else for (const watcher of open) deliver(watcher, gameServer);
    },
    endAll: () => finish((watcher) => watcher.end()),
    failAll: () => finish((watcher) => watcher.fail()),
    lose: (updates) => {
      toLose = updates;
    },
    repeat: (on) => {
      copies = on ? 2 : 1;
    },
    race: (run) => {
      race = run;
    },
  };
}
