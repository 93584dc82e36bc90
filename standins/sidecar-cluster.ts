// Stands in for what is behind Agones' sdk-server: the API server, which keeps the GameServer and tells each change, and
// the controller, which makes Ready what asks for it; checked by reading pkg/sdkserver/sdkserver.go and
// pkg/gameservers/controller.go of agones-dev/agones 676cc64. Left out: every other state, conflicts, the end of a pod.
import type { GameServer, GameServerChange, GameServerOptions, GameServerState } from "./game-server.ts";
import { changed, lastAllocatedNow, newGameServer } from "./game-server.ts";

export interface ClusterOptions extends GameServerOptions {
  readonly readyDelay: number;
  /** Where the GameServer is kept when not in memory. */
  readonly store?: Store;
  readonly observer?: ClusterObserver;
}

export interface ClusterObserver {
  updated(gameServer: GameServer): void;
}

export interface Store {
  load(): GameServer | undefined;
  save(gameServer: GameServer): void;
}

export interface Cluster {
  gameServer(): GameServer;
  /** A change by somebody else. */
  update(change: GameServerChange): GameServer;
  /** A change by the sidecar. */
  patch(change: GameServerChange): void;
  close(): void;
}

// updateState() in sdkserver.go: no way out of a shutdown, and none out of Unhealthy by the SDK.
const final: ReadonlySet<GameServerState> = new Set(["Shutdown", "Unhealthy"]);

/** @param updated told of each change after it was kept */
export function createCluster(options: ClusterOptions, updated: (gameServer: GameServer) => void): Cluster {
  const { store, observer, readyDelay } = options;
  let current = store?.load() ?? newGameServer(options);
  let controller: NodeJS.Timeout | undefined;
  const update = (change: GameServerChange): GameServer => {
    current = changed(current, change);
    store?.save(current);
    observer?.updated(current);
    updated(current);
    return current;
  };
  const makeReady = (): void => {
    clearTimeout(controller);
    controller = setTimeout(() => {
      if (current.state === "RequestReady") update({ state: "Ready" });
    }, readyDelay);
  };
  // Who asked before the process was killed is not forgotten.
  if (store && current.state === "RequestReady") makeReady();
  return {
    gameServer: () => current,
    update,
    patch: ({ state, ...metadata }) => {
      if (state === undefined) return void update(metadata);
      if (final.has(current.state)) return;
      update({ state, annotations: state === "Allocated" ? lastAllocatedNow() : {} });
      if (state === "RequestReady") makeReady();
    },
    close: () => clearTimeout(controller),
  };
}
