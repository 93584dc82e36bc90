// Stands in for the heart of Agones' sdk-server, what both of its transports answer from; checked by reading
// pkg/sdkserver/sdkserver.go of agones-dev/agones 676cc64. Left out: counters and lists, alpha and beta, conflicts of its
// patches, a reservation's end that is kept over a restart (`reservedUntil`).
import type { GameServer, GameServerChange, GameServerOptions, GameServerState } from "./game-server.ts";
import { changed, lastAllocatedNow, newGameServer } from "./game-server.ts";
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

export interface HostOptions extends GameServerOptions {
  readonly readyDelay: number;
  readonly rateLimit: number;
  readonly enforceHealth: boolean;
  /** Where the GameServer is kept when not in memory: the part of the API server. */
  readonly store?: Store;
  readonly observer?: SidecarObserver;
}

/** Told of everything as it happens. */
export interface SidecarObserver {
  received(call: SidecarCall): void;
  updated(gameServer: GameServer): void;
}

export interface Store {
  load(): GameServer | undefined;
  save(gameServer: GameServer): void;
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
  /** A change by the SDK: as late as the sidecar's queue makes it. @param reserve in seconds, 0 for ever */
  request(change: GameServerChange, reserve?: number): void;
  start(): void;
  /** The process of the sidecar ends: what only its memory held is lost. */
  stop(): void;
  close(): void;
}

// updateState() in sdkserver.go: no way out of a shutdown, and none out of Unhealthy by the SDK.
const final: ReadonlySet<GameServerState> = new Set(["Shutdown", "Unhealthy", "Error"]);

// A longer one fires at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function createHost(options: HostOptions): SidecarHost {
  let current = options.store?.load() ?? newGameServer(options);
  let started = false;
  let reservation: NodeJS.Timeout | undefined;
  let controller: NodeJS.Timeout | undefined;
  const tally = createTally();
  const traffic = createTraffic();
  const watchers = createWatchers(traffic);
  const waiters = createWaiters(() => `state ${current.state}, calls ${JSON.stringify(tally.calls)}`);
  const queue = createSdkQueue(options.rateLimit, bySdk);
  const health = createHealthCheck(current.health, () => queue.add({ state: "Unhealthy" }));
  options.store?.save(current);

  function update(change: GameServerChange): GameServer {
    current = changed(current, change);
    options.store?.save(current);
    options.observer?.updated(current);
    watchers.updated(current);
    waiters.changed();
    return current;
  }

  function bySdk({ state, ...metadata }: GameServerChange): void {
    if (state === undefined) return void update(metadata);
    if (final.has(current.state)) return;
    update({ state, annotations: state === "Allocated" ? lastAllocatedNow() : {} });
    if (state === "RequestReady") makeReady();
  }

  // The controller's part, and only for a server that still asks for it.
  function makeReady(): void {
    clearTimeout(controller);
    controller = setTimeout(() => {
      if (current.state === "RequestReady") update({ state: "Ready" });
    }, options.readyDelay);
  }

  function stop(): void {
    health.stop();
    queue.drop();
    traffic.clear();
    watchers.forget();
  }

  return {
    ...tally,
    traffic,
    watchers,
    waiters,
    gameServer: () => current,
    received: (method, transport) => {
      const call: SidecarCall = { method, transport, at: performance.timeOrigin + performance.now() };
      tally.count(call);
      options.observer?.received(call);
      if (method === "health") health.ping();
      waiters.changed();
    },
    update,
    request: (change, reserve = 0) => {
      if (change.state) clearTimeout(reservation);
      queue.add(change);
      if (reserve <= 0) return;
      const milliseconds = Math.min(reserve * 1000, LONGEST_TIMER_MS);
      reservation = setTimeout(() => queue.add({ state: "RequestReady" }), milliseconds);
    },
    start: () => {
      const { initialDelaySeconds, periodSeconds } = current.health;
      // The kubelet's probes go on over a restart of the sidecar.
      if (options.enforceHealth) health.start((started ? periodSeconds : initialDelaySeconds) * 1000);
      if (options.store && current.state === "RequestReady") makeReady();
      started = true;
    },
    stop,
    close: () => {
      stop();
      clearTimeout(reservation);
      clearTimeout(controller);
      waiters.abandon("the sidecar was closed");
    },
  };
}
