import type { Allocation } from "./agones-sidecar.ts";
import { startSidecar } from "./agones-sidecar.ts";

/** What the process is told. In a cluster the first goes to the allocator service, never to the sidecar. */
export type SidecarRequest = { readonly type: "sidecar:allocate" } & Allocation;

/** What the process tells: where it listens, or why not, and each allocation once it is written. */
export type SidecarReport =
  | { readonly type: "sidecar:listening"; readonly port: number }
  | { readonly type: "sidecar:failed"; readonly message: string }
  | { readonly type: "sidecar:allocated"; readonly name: string };

function tell(report: SidecarReport): void {
  process.send?.(report);
}

try {
  const sidecar = await startSidecar({ port: Number(process.env["AGONES_SDK_GRPC_PORT"] ?? 9357) });
  process.on("message", (request: SidecarRequest) => {
    if (request.type !== "sidecar:allocate") return;
    const { name } = sidecar.allocate(request);
    tell({ type: "sidecar:allocated", name });
  });
  process.once("SIGTERM", () => void sidecar.close().then(() => process.exit(0)));
  tell({ type: "sidecar:listening", port: sidecar.port });
} catch (error) {
  tell({ type: "sidecar:failed", message: (error as Error).message });
  process.exitCode = 1;
  process.disconnect?.();
}
