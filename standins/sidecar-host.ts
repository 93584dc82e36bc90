// Stands in for the heart of Agones' sdk-server, what both of its transports answer from; checked by reading
// pkg/sdkserver/sdkserver.go of agones-dev/agones 676cc64. Left out: counters and lists, alpha and beta, conflicts of its
// patches, a reservation's end that is kept over a restart (`reservedUntil`).
import type { GameServer, GameServerChange } from "./game-server.ts";
import type { ClusterObserver, ClusterOptions } from "./sidecar-cluster.ts";
import { createCluster } from "./sidecar-cluster.ts";
import { createHealthCheck } from "./sidecar-health.ts";
import { createSdkQueue } from "./sidecar-queue.ts";
import type { SdkMethod, SidecarCall, SidecarTally, Transport } from "./sidecar-tally.ts";
import { createTally } from "./sidecar-tally.ts";
import type { Traffic } from "./sidecar-traffic.ts";
import { createTraffic } from "./sidecar-traffic.ts";
import type { Watchers } from "./sidecar-watchers.ts";
import { createWatchers } from "./sidecar-watchers.ts";
import type { Waiters } from "./waiters.ts";
import { createWaiters } from "./waiters.ts";

export interface HostOptions extends ClusterOptions {
  readonly rateLimit: number;
  readonly enforceHealth: boolean;
  readonly observer?: SidecarObserver;
}

/** Told of everything as it happens. */
export interface SidecarObserver extends ClusterObserver {
  received(call: SidecarCall): void;
}

export interface SidecarHost extends SidecarTally {
  readonly traffic: Traffic;
  readonly watchers: Watchers;
  readonly waiters: Waiters;
  gameServer(): GameServer;
  /** Counts a call, or a ping of health. */
  received(method: SdkMethod, transport: Transport): void;
  /** A change by the API server: at once, and seen by every watcher. */
  update(change: GameServerChange): GameServer;
  /** Calls back at every change of the GameServer, until it is undone. */
  watch(changed: () => void): () => void;
  /** A change by the SDK: as late as the sidecar's queue makes it. @param reserve in seconds, 0 for ever */
  request(change: GameServerChange, reserve?: number): void;
  start(): void;
  /** The process of the sidecar ends: what only its memory held is lost. */
  stop(): void;
  close(): void;
}

export function createHost(options: HostOptions): SidecarHost {
  const tally = createTally();
  const traffic = createTraffic();
  const watchers = createWatchers(traffic);
  const others = new Set<() => void>();
  const cluster = createCluster(options, (gameServer) => {
    watchers.updated(gameServer);
    for (const changed of others) changed();
    waiters.changed();
  });
  const waiters = createWaiters(() => `state ${cluster.gameServer().state}, calls ${JSON.stringify(tally.calls)}`);
  const queue = createSdkQueue(options.rateLimit, cluster.patch);
  const health = createHealthCheck(cluster.gameServer().health, () => queue.add({ state: "Unhealthy" }));
  const reservation = createReservation(() => queue.add({ state: "RequestReady" }));
  return {
    ...tally,
    traffic,
    watchers,
    waiters,
    gameServer: cluster.gameServer,
    received: (method, transport) => {
      const call: SidecarCall = { method, transport, at: performance.timeOrigin + performance.now() };
      tally.count(call);
      options.observer?.received(call);
      if (method === "health") health.ping();
      waiters.changed();
    },
    update: cluster.update,
    watch: (changed) => {
      others.add(changed);
      return () => others.delete(changed);
    },
    request: (change, reserve = 0) => {
      if (change.state) reservation.set(reserve);
      queue.add(change);
    },
    start: () => {
      if (options.enforceHealth) health.start();
    },
    stop: () => {
      for (const part of [health, queue, traffic]) part.stop();
    },
    close: () => {
      reservation.set(0);
      cluster.close();
      waiters.abandon("the sidecar was closed");
    },
  };
}

// A longer one fires at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

// As in the real one, whatever state the SDK asks for ends a reservation before its time.
function createReservation(over: () => void): { set(seconds: number): void } {
  let timer: NodeJS.Timeout | undefined;
  return {
    set: (seconds) => {
      clearTimeout(timer);
      if (seconds > 0) timer = setTimeout(over, Math.min(seconds * 1000, LONGEST_TIMER_MS));
    },
  };
}
