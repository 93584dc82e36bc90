import { Server } from "@colyseus/core";
import { observeAllocations } from "./boot/allocation.ts";
import { startBoot } from "./boot/boot.ts";
import { isServedByVite } from "./boot/dev-server.ts";
import { runLifecycle, type Lifecycle } from "./boot/lifecycle.ts";
import { observeParts } from "./boot/parts.ts";
import { createStatus } from "./boot/status.ts";
import { METRICS } from "./conventions.ts";
import { serveAdmin, type Endpoints } from "./endpoints/admin.ts";
import { PROCESS_START } from "./internal/clock.ts";
import { installation } from "./internal/installation.ts";
import { warn } from "./internal/report.ts";
import { resolveOptions, type InstrumentOptions, type ResolvedOptions } from "./options.ts";
import { contextFromEnvironment } from "./propagation/environment.ts";
import { createGate } from "./propagation/gate.ts";
import { admit } from "./propagation/trust.ts";
import { allowTraceHeaders } from "./rooms/cors.ts";
import { createCounts, observeRooms, readingsOf } from "./rooms/observe.ts";
import { flushTelemetry } from "./telling/flush.ts";
import { createTeller } from "./telling/teller.ts";

/** Longer than the presence may take to say who saw a player last. */
const STOP_MS = 3000;

/** What `instrument()` gives back. */
export interface Telemetry extends AsyncDisposable {
  /**
   * Resolves when Ready was seen; without an orchestrator, when the server listens. Rejects with the one reason when the
   * boot failed, or was shut down before; nobody needs to listen to it.
   */
  readonly ready: Promise<void>;
  /** Where the admin port listens; undefined until it does, when it cannot, or with `endpoints: false`. */
  readonly endpoints: Endpoints | undefined;
  /** Undoes every patch, ends what is open and flushes, all within 3 seconds. The game goes on without telemetry. */
  shutdown(): Promise<void>;
}

let current: (Telemetry & Pick<Lifecycle, "follow">) | undefined;

/**
 * Traces this server: its boot, its rooms and its players. Call it once, after the rooms are defined and before
 * `listen()`. Under `colyseus/vite` each reload calls it again: the options of the first call stay.
 *
 * @throws TypeError for an unknown option, a value of the wrong kind, or a server of another copy of `@colyseus/core`
 * @throws Error when a server of this process is instrumented already
 */
export function instrument(server: Server, options: InstrumentOptions = {}): Telemetry {
  const resolved = resolveOptions(options);
  checkCore(server);
  if (installation.by === "register" && current) {
    warn("register", "instrument() came after listen(): colyseus-otel/register traces this process, its options stay");
    return current;
  }
  if (current && installation.by && isServedByVite(server)) {
    current.follow(server);
    return current;
  }
  if (installation.by) {
    throw new Error(
      "instrument() was called already in this process: one call traces all rooms. shutdown() the first to call it again.",
    );
  }
  installation.by = "instrument";
  current = compose(server, resolved);
  return current;
}

function compose(server: Server, options: ResolvedOptions): NonNullable<typeof current> {
  const status = createStatus(PROCESS_START);
  const counts = createCounts(options.messages);
  const { orchestrator, tracerProvider, meterProvider, annotationKeys } = options;
  const readings = readingsOf(counts).set(METRICS.status, status.reading).set(METRICS.readiness, status.readiness);
  const teller = createTeller({ tracerProvider, meterProvider, readings });
  teller.look();

  const asked = admit(contextFromEnvironment(process.env), "continue");
  teller.note({ note: "trace_context", source: "environment", outcome: asked.outcome });
  const boot = startBoot(teller, status, asked.parent);
  const allocations = observeAllocations(teller, boot, annotationKeys);
  observeParts({ teller, boot, openAllocation: () => allocations.open, mapLoaded: allocations.mapLoaded });

  const drain = { crashed: false };
  const gate = createGate(options.trust);
  const seats = orchestrator?.players;
  const playerJoined = allocations.joined;
  const rooms = observeRooms({ ...counts, teller, gate, drain, seats, playerJoined }, options);
  const forbidTraceHeaders = options.cors ? allowTraceHeaders() : undefined;
  const admin = options.endpoints && serveAdmin(options.endpoints, status);
  const lifecycle = runLifecycle({ server, teller, status, boot, allocations, orchestrator, rooms, drain, options });

  let stopping: Promise<void> | undefined;
  const shutdown = async () => {
    const since = performance.now();
    void rooms.settle();
    rooms.endAll("telemetry_shutdown");
    teller.endOpen();
    lifecycle.close();
    rooms.undo();
    forbidTraceHeaders?.();
    observeParts(undefined);
    await rooms.settle();
    const left = STOP_MS - (performance.now() - since);
    await Promise.all([flushTelemetry(options, left), admin?.close()]);
    teller.stop();
    installation.by = undefined;
  };
  return {
    ready: lifecycle.ready,
    follow: lifecycle.follow,
    get endpoints() {
      return admin?.address;
    },
    shutdown: () => (stopping ??= shutdown()),
    [Symbol.asyncDispose]: () => (stopping ??= shutdown()),
  };
}

/** In a process with two copies of core, hooks on one would see nothing of the other. */
function checkCore(server: unknown): void {
  if (server instanceof Server || (server !== null && typeof server === "object" && isServedByVite(server))) {
    return;
  }
  const looksLikeServer = typeof (server as Partial<Server> | null)?.listen === "function";
  throw new TypeError(
    looksLikeServer
      ? "instrument: this server was made by another copy of @colyseus/core than the one that colyseus-otel loads. " +
          "A CommonJS app on Colyseus 0.17 loads a copy of its own: make the app ESM, or move to 0.18. Else see `npm ls @colyseus/core`."
      : "instrument: the first argument must be a Colyseus server, as defineServer() or new Server() gives it",
  );
}
