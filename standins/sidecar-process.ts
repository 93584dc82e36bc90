// Stands in for Agones around a sidecar that can be killed for real: the GameServer is kept, as the API server keeps it,
// in a file outside of the process of sidecar-main.ts. Left out: a change while the process is frozen waits for it, where
// the real API server would take it at once.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Allocation, Sidecar, SidecarOptions } from "./agones-sidecar.ts";
import { storeIn } from "./game-server-file.ts";
import type { GameServer, GameServerChange, GameServerState } from "./game-server.ts";
import { allocation, changed, includes, newGameServer } from "./game-server.ts";
import type { Store } from "./sidecar-cluster.ts";
import type { Life, Ports } from "./sidecar-life.ts";
import { startLife } from "./sidecar-life.ts";
import type { SidecarReport } from "./sidecar-main.ts";
import type { SidecarTally } from "./sidecar-tally.ts";
import { createTally } from "./sidecar-tally.ts";
import { createWaiters } from "./waiters.ts";

/** Calls, pings and allocations are those of all its lives. */
export interface SidecarProcess extends SidecarTally, AsyncDisposable {
  /** Of gRPC. */
  readonly port: number;
  readonly httpPort: number;
  /** The GameServer after each allocation made by {@link allocate}. */
  readonly allocations: readonly GameServer[];
  gameServer(): GameServer;
  /** Also while the process is dead: the next one finds it. */
  allocate(allocation?: Allocation): Promise<GameServer>;
  setState(state: GameServerState): Promise<GameServer>;
  waitFor: Sidecar["waitFor"];
  /** SIGKILL. Resolves when the process is gone and all it told has been heard. */
  kill(): Promise<void>;
  /** A new process on the same ports. Resolves when it listens. @throws Error when it cannot */
  start(): Promise<void>;
  /** SIGSTOP: the kernel goes on accepting connections, and nobody reads. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

export type SidecarProcessOptions = Omit<SidecarOptions, "file" | "observer">;

/** @throws Error when a port is taken */
export async function startSidecarProcess(options: SidecarProcessOptions = {}): Promise<SidecarProcess> {
  const folder = mkdtempSync(join(tmpdir(), "sidecar-"));
  const file = join(folder, "game-server.json");
  const store = storeIn(file);
  const gameServer = (): GameServer => store.load() as GameServer;
  store.save(newGameServer(options));
  const { count, ...tally } = createTally();
  const waiters = createWaiters(() => `state ${gameServer().state}, calls ${JSON.stringify(tally.calls)}`);
  const heard = (report: SidecarReport): void => {
    if (report.type === "sidecar:received") count(report.call);
    waiters.changed();
  };
  const allocations: GameServer[] = [];
  const live = (ports: Ports): Promise<Life> => startLife({ ...options, ...ports, file }, heard);
  let life = live({ port: options.port ?? 0, httpPort: options.httpPort ?? 0 });
  const { port, httpPort } = await life;
  // One after the other, so that a death leaves one at most of which nobody knows whether it was made.
  let last: Promise<unknown> = life;
  const make = async (change: GameServerChange): Promise<GameServer> => {
    const current = (await (await life).update(change)) ?? changeIn(store, change);
    waiters.changed();
    return current;
  };
  const update = (change: GameServerChange): Promise<GameServer> => {
    const made = last.then(() => make(change));
    last = made;
    return made;
  };
  const kill = async (): Promise<void> => (await life).kill();
  return {
    ...tally,
    port,
    httpPort,
    allocations,
    gameServer,
    allocate: async (wanted) => {
      const allocated = await update(allocation(wanted));
      allocations.push(allocated);
      return allocated;
    },
    setState: (state) => update({ state }),
    waitFor: (predicate, timeout = 5_000, what = "the game server") =>
      waiters.waitFor(() => predicate(gameServer()), timeout, what),
    kill,
    start: async () => {
      await (life = live({ port, httpPort }));
    },
    freeze: async () => (await life).signal("SIGSTOP"),
    thaw: async () => (await life).signal("SIGCONT"),
    [Symbol.asyncDispose]: async () => {
      await kill();
      await last;
      waiters.abandon("the sidecar was closed");
      rmSync(folder, { recursive: true });
    },
  };
}

function changeIn(store: Store, change: GameServerChange): GameServer {
  const current = store.load() as GameServer;
  // Killed after it made the change and before it could say so.
  if (includes(current, change)) return current;
  const next = changed(current, change);
  store.save(next);
  return next;
}
