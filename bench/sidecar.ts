import { startSidecar, type Sidecar } from "../standins/agones-sidecar.ts";

/** What the process is asked: a stand-in that has seen nobody yet. */
export type SidecarRequest = { readonly type: "sidecar:renew" };

/** What it tells: where the new one listens, and when it showed Ready, by {@link process.hrtime} in nanoseconds. */
export type SidecarReport =
  | { readonly type: "sidecar:listening"; readonly port: number }
  | { readonly type: "sidecar:ready"; readonly at: string };

let current: Sidecar | undefined;

process.on("message", (request: SidecarRequest) => {
  if (request.type === "sidecar:renew") void renew();
});

async function renew(): Promise<void> {
  await current?.close();
  const sidecar = await startSidecar({ readyDelay: 0 });
  current = sidecar;
  tell({ type: "sidecar:listening", port: sidecar.port });
  sidecar
    .waitFor(({ state }) => state === "Ready", 60_000, "Ready")
    .then(
      // hrtime is the machine's monotonic clock, the same one in every process.
      () => tell({ type: "sidecar:ready", at: String(process.hrtime.bigint()) }),
      () => {},
    );
}

function tell(report: SidecarReport): void {
  process.send?.(report);
}
