import { startSidecar } from "./agones-sidecar.ts";
import { startAllocationService } from "./allocation-service.ts";

/** What the process is told: the port of the game beside it, which in a cluster the controller has chosen. */
export type SidecarRequest = { readonly type: "sidecar:game"; readonly port: number };

/** What the process tells: where sidecar and allocation service listen, or why not; and that the game is known. */
export type SidecarReport =
  | { readonly type: "sidecar:listening"; readonly port: number; readonly allocationPort: number }
  | { readonly type: "sidecar:failed"; readonly message: string }
  | { readonly type: "sidecar:registered" };

function tell(report: SidecarReport): void {
  process.send?.(report);
}

try {
  const stack = new AsyncDisposableStack();
  const sidecar = stack.use(await startSidecar({ port: Number(process.env["AGONES_SDK_GRPC_PORT"] ?? 9357) }));
  const allocation = stack.use(await startAllocationService());
  process.on("message", ({ type, port }: SidecarRequest) => {
    if (type !== "sidecar:game") return;
    allocation.register(sidecar, { port });
    tell({ type: "sidecar:registered" });
  });
  process.once("SIGTERM", () => void stack.disposeAsync().then(() => process.exit(0)));
  tell({ type: "sidecar:listening", port: sidecar.port, allocationPort: allocation.port });
} catch (error) {
  tell({ type: "sidecar:failed", message: (error as Error).message });
  process.exitCode = 1;
  process.disconnect?.();
}
