// Stands in for Agones' sdk-server, over gRPC and over HTTP; checked by reading agones-dev/agones 676cc64 (1.60, on the
// way to 1.61): cmd/sdk-server/main.go, pkg/sdkserver/sdkserver.go and sdk.go, pkg/gameserverallocations/allocator.go.
// Left out: counters and lists, alpha and beta, its own port for health probes; what each part leaves out, it says.
import { setTimeout as wait } from "node:timers/promises";
import { storeIn } from "./game-server-file.ts";
import type { Allocation, GameServer, GameServerChange, GameServerOptions, GameServerState } from "./game-server.ts";
import { allocation } from "./game-server.ts";
import type { SidecarFaults } from "./sidecar-faults.ts";
import { faultsOf } from "./sidecar-faults.ts";
import { listenHttp } from "./sidecar-gateway.ts";
import type { SidecarHost, SidecarObserver } from "./sidecar-host.ts";
import { createHost } from "./sidecar-host.ts";
import type { Listening } from "./sidecar-service.ts";
import { listenGrpc } from "./sidecar-service.ts";
import type { SidecarTally } from "./sidecar-tally.ts";

export type { Allocation, GameServer, GameServerState } from "./game-server.ts";

export interface SidecarOptions extends GameServerOptions {
  /** Of gRPC. @default 0: a free one, to be read from the handle */
  readonly port?: number;
  /** @default 0: a free one, to be read from the handle */
  readonly httpPort?: number;
  /** Milliseconds from RequestReady to Ready: the time of the sidecar's patch and the controller. @default 50 */
  readonly readyDelay?: number;
  /** Milliseconds from a call of the SDK to its change of state or metadata; the real one takes 500. @default 0 */
  readonly rateLimit?: number;
  /** Makes the server Unhealthy when its pings stay away, as `health` says. @default false */
  readonly enforceHealth?: boolean;
  /** Keeps the GameServer, which this file outlives the process with; what it holds already wins over the options above. */
  readonly file?: string;
  readonly observer?: SidecarObserver;
}

export interface Sidecar extends SidecarTally, AsyncDisposable {
  /** Of gRPC. */
  readonly port: number;
  readonly httpPort: number;
  readonly faults: SidecarFaults;
  state(): GameServerState;
  gameServer(): GameServer;
  /**
   * What the allocator does from outside the pod: one update with annotations, labels, last-allocated and the state.
   * Also allocates an already Allocated server anew, as an allocation with `gameServerState: Allocated` does.
   */
  allocate(allocation?: Allocation): GameServer;
  setState(state: GameServerState): void;
  /** Any change from outside the pod; the two above are short for it. */
  update(change: GameServerChange): GameServer;
  /** Calls back at every change of the GameServer, until it is undone. */
  watch(changed: () => void): () => void;
  /** @param timeout in milliseconds, default 5,000 @throws Error that says what was waited for */
  waitFor(predicate: (gameServer: GameServer) => boolean, timeout?: number, what?: string): Promise<void>;
  /** Drops every connection and gives up both ports, as its death does. The GameServer can still be changed. */
  stop(): void;
  /** Comes back on the same ports with the same GameServer, and knows nothing else of what was. */
  start(): Promise<void>;
  /** @param downFor in milliseconds, default 0 */
  restart(options?: { readonly downFor?: number }): Promise<void>;
  /** As `stop`, for good: open waits fail. */
  close(): Promise<void>;
}

/** @throws Error when a port is taken */
export async function startSidecar(options: SidecarOptions = {}): Promise<Sidecar> {
  const { readyDelay = 50, rateLimit = 0, enforceHealth = false, file, ...rest } = options;
  const store = file === undefined ? {} : { store: storeIn(file) };
  const host = createHost({ ...rest, ...store, readyDelay, rateLimit, enforceHealth });
  let transports = await listen(host, options.port ?? 0, options.httpPort ?? 0);
  const [port, httpPort] = transports.map((transport) => transport.port) as [number, number];
  const stop = (): void => {
    host.stop();
    for (const transport of transports.splice(0)) transport.close();
  };
  const start = async (): Promise<void> => {
    transports = await listen(host, port, httpPort);
  };
  const close = (): Promise<void> => {
    stop();
    host.close();
    return Promise.resolve();
  };
  return {
    port,
    httpPort,
    calls: host.calls,
    callsOver: host.callsOver,
    pings: host.pings,
    faults: faultsOf(host, () => transports),
    state: () => host.gameServer().state,
    gameServer: host.gameServer,
    allocate: (wanted) => host.update(allocation(wanted)),
    setState: (state) => void host.update({ state }),
    update: host.update,
    watch: host.watch,
    waitFor: (predicate, timeout = 5_000, what = "the game server") =>
      host.waiters.waitFor(() => predicate(host.gameServer()), timeout, what),
    stop,
    start,
    restart: async ({ downFor = 0 } = {}) => {
      stop();
      await wait(downFor);
      await start();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function listen(host: SidecarHost, port: number, httpPort: number): Promise<Listening[]> {
  const grpc = await listenGrpc(host, port);
  try {
    const http = await listenHttp(host, httpPort);
    host.start();
    return [grpc, http];
  } catch (error) {
    grpc.close();
    throw error;
  }
}
