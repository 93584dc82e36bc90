// The Agones stand-in of agones-sidecar.ts, with the allocation service, as a process of its own.
import type { SidecarOptions } from "./agones-sidecar.ts";
import { startSidecar } from "./agones-sidecar.ts";
import { startAllocationService } from "./allocation-service.ts";
import type { GameServer, GameServerChange } from "./game-server.ts";
import type { SidecarObserver } from "./sidecar-host.ts";
import type { SidecarCall } from "./sidecar-tally.ts";

/**
 * What the process is told: the port of the game beside it, which in a cluster the controller has chosen; and a change
 * of the GameServer from outside the pod.
 */
export type SidecarRequest =
  | { readonly type: "sidecar:game"; readonly port: number }
  | { readonly type: "sidecar:update"; readonly id: number; readonly change: GameServerChange };

/**
 * What the process tells: where sidecar and allocation service listen, or why not; that the game is known; that an
 * allocation found no server, the first time; which change was made. And all that happens, when the GameServer is kept
 * in a file: whoever gave the file outlives the process.
 */
export type SidecarReport =
  | {
      readonly type: "sidecar:listening";
      readonly port: number;
      readonly httpPort: number;
      readonly allocationPort: number;
    }
  | { readonly type: "sidecar:failed"; readonly message: string }
  | { readonly type: "sidecar:registered" }
  | { readonly type: "sidecar:unallocated" }
  | { readonly type: "sidecar:updated"; readonly id: number; readonly gameServer: GameServer }
  | { readonly type: "sidecar:received"; readonly call: SidecarCall }
  | { readonly type: "sidecar:changed" };

const observer: SidecarObserver = {
  received: (call) => tell({ type: "sidecar:received", call }),
  updated: () => tell({ type: "sidecar:changed" }),
};

function tell(report: SidecarReport): void {
  process.send?.(report);
}

const LONGEST_TIMER = 2 ** 31 - 1;

/** Its options are JSON, but for the ports: those have Agones' own variables. */
function readOptions(): SidecarOptions {
  const { AGONES_SDK_GRPC_PORT, AGONES_SDK_HTTP_PORT, AGONES_STANDIN_OPTIONS } = process.env;
  const options = JSON.parse(AGONES_STANDIN_OPTIONS ?? "{}") as SidecarOptions;
  const ports = { port: Number(AGONES_SDK_GRPC_PORT ?? 9357), httpPort: Number(AGONES_SDK_HTTP_PORT ?? 0) };
  return { ...options, ...ports, ...(options.file === undefined ? {} : { observer }) };
}

process.once("disconnect", () => process.exit());

try {
  const stack = new AsyncDisposableStack();
  const sidecar = stack.use(await startSidecar(readOptions()));
  const allocation = stack.use(await startAllocationService());
  process.on("message", (request: SidecarRequest) => {
    if (request.type === "sidecar:game") {
      allocation.register(sidecar, { port: request.port });
      tell({ type: "sidecar:registered" });
    }
    if (request.type === "sidecar:update") {
      tell({ type: "sidecar:updated", id: request.id, gameServer: sidecar.update(request.change) });
    }
  });
  allocation
    .waitFor(({ tally }) => tally().UnAllocated > 0, LONGEST_TIMER, "an allocation that finds no server")
    .then(
      () => tell({ type: "sidecar:unallocated" }),
      () => {},
    );
  process.once("SIGTERM", () => void stack.disposeAsync().then(() => process.exit(0)));
  const { port, httpPort } = sidecar;
  tell({ type: "sidecar:listening", port, httpPort, allocationPort: allocation.port });
} catch (error) {
  tell({ type: "sidecar:failed", message: (error as Error).message });
  process.exitCode = 1;
  process.disconnect?.();
}
