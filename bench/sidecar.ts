import { startSidecar, type Sidecar } from "../standins/agones-sidecar.ts";

/** What the process is asked: a stand-in that has seen nobody yet, or the end of one. */
export type SidecarRequest =
  | { readonly type: "sidecar:open"; readonly id: number }
  | { readonly type: "sidecar:close"; readonly port: number };

/** What it tells: where the new one listens, and when it showed Ready, by {@link process.hrtime} in nanoseconds. */
export type SidecarReport =
  | { readonly type: `sidecar:listening:${number}`; readonly port: number; readonly httpPort: number }
  | { readonly type: `sidecar:ready:${number}`; readonly at: string };

// One a server: a server whose stand-in went away would spend its time on reconnecting.
const open = new Map<number, Sidecar>();

process.on("message", (request: SidecarRequest) => {
  if (request.type === "sidecar:open") void openOne(request.id);
  if (request.type === "sidecar:close") void open.get(request.port)?.close();
});

async function openOne(id: number): Promise<void> {
  const sidecar = await startSidecar({ readyDelay: 0 });
  const { port, httpPort } = sidecar;
  open.set(port, sidecar);
  tell({ type: `sidecar:listening:${id}`, port, httpPort });
  sidecar
    .waitFor(({ state }) => state === "Ready", 60_000, "Ready")
    .then(
      // hrtime is the machine's monotonic clock, the same one in every process.
      () => tell({ type: `sidecar:ready:${port}`, at: String(process.hrtime.bigint()) }),
      () => {},
    );
}

function tell(report: SidecarReport): void {
  process.send?.(report);
}
