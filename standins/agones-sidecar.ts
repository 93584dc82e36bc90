// Stands in for Agones' sdk-server over gRPC; checked by reading agones-dev/agones 676cc64 (1.60, on the way to 1.61):
// pkg/sdkserver/sdkserver.go and sdk.go, pkg/gameserverallocations/allocator.go. Left out: its rate limit of one change
// of state in 500 ms, its check of health, counters and lists, alpha and beta.
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { GameServer, GameServerState, Message } from "./game-server.ts";
import { changed, lastAllocatedNow, newGameServer, toMessage } from "./game-server.ts";
import type { SidecarCalls, SidecarHost } from "./sidecar-service.ts";
import { sdkService, serve } from "./sidecar-service.ts";
import { createWaiters } from "./waiters.ts";

export type { GameServer, GameServerState } from "./game-server.ts";

export interface SidecarOptions {
  /** @default 0: a free one, to be read from the handle */
  readonly port?: number;
  /** What the game server finds at its first look. @default "Scheduled" */
  readonly state?: GameServerState;
  /** Milliseconds from RequestReady to Ready: the time of the sidecar's patch and the controller. @default 50 */
  readonly readyDelay?: number;
  /** @default "arena-7xk2p" */
  readonly name?: string;
  /** Value of the label `agones.dev/fleet`. @default "arena" */
  readonly fleet?: string;
}

export interface Allocation {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Sidecar extends AsyncDisposable {
  readonly port: number;
  /** How often each method was called; `health` counts pings. */
  readonly calls: Readonly<SidecarCalls>;
  state(): GameServerState;
  gameServer(): GameServer;
  /**
   * What the allocator does from outside the pod: one update with annotations, labels, last-allocated and the state.
   * Also allocates an already Allocated server anew, as an allocation with `gameServerState: Allocated` does.
   */
  allocate(allocation?: Allocation): GameServer;
  setState(state: GameServerState): void;
  /** @param timeout in milliseconds, default 5,000 @throws Error that says what was waited for */
  waitFor(predicate: (gameServer: GameServer) => boolean, timeout?: number, what?: string): Promise<void>;
  /** Drops every connection, as the death of the sidecar does. */
  close(): Promise<void>;
}

/** @throws Error when the port is taken */
export async function startSidecar(options: SidecarOptions = {}): Promise<Sidecar> {
  const host = createHost(options);
  const server = new Server();
  server.addService(sdkService, serve(host));
  const port = await listen(server, options.port ?? 0);
  const close = (): Promise<void> => {
    host.stop();
    server.forceShutdown();
    return Promise.resolve();
  };
  return {
    port,
    calls: host.calls,
    state: () => host.gameServer().state,
    gameServer: host.gameServer,
    allocate: (allocation = {}) =>
      host.update({
        labels: allocation.labels ?? {},
        annotations: { ...allocation.annotations, ...lastAllocatedNow() },
        state: "Allocated",
      }),
    setState: (state) => void host.update({ state }),
    waitFor: host.waitFor,
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Host extends SidecarHost {
  readonly waitFor: Sidecar["waitFor"];
  stop(): void;
}

function createHost(options: SidecarOptions): Host {
  let current = newGameServer(options.name ?? "arena-7xk2p", options.fleet ?? "arena", options.state ?? "Scheduled");
  const calls: SidecarCalls = {};
  const watchers = new Set<(message: Message) => void>();
  const timers = createTimers();
  const waiters = createWaiters(() => `state ${current.state}, calls ${JSON.stringify(calls)}`);
  return {
    calls,
    watchers,
    readyDelay: options.readyDelay ?? 50,
    gameServer: () => current,
    received: (method) => {
      calls[method] = (calls[method] ?? 0) + 1;
      waiters.changed();
    },
    update: (change) => {
      current = changed(current, change);
      const message = toMessage(current);
      for (const send of watchers) send(message);
      waiters.changed();
      return current;
    },
    later: timers.later,
    waitFor: (predicate, timeout = 5_000, what = "the game server") =>
      waiters.waitFor(() => predicate(current), timeout, what),
    stop: () => {
      timers.stop();
      waiters.abandon("the sidecar was closed");
    },
  };
}

function createTimers(): Pick<Host, "later" | "stop"> {
  const timers = new Set<NodeJS.Timeout>();
  return {
    later: (milliseconds, run) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        run();
      }, milliseconds);
      timers.add(timer);
    },
    stop: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

// The Node SDK dials `localhost`; where that resolves to ::1 first, grpc-js goes on to 127.0.0.1 by itself.
function listen(server: Server, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
    if (error) reject(new Error(`the Agones stand-in cannot listen on ${port}: ${error.message}`));
    else resolve(bound);
  });
  return promise;
}
