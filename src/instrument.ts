import { Server } from "@colyseus/core";
import { observeAllocations } from "./boot/allocation.ts";
import { startBoot } from "./boot/boot.ts";
import { runLifecycle } from "./boot/lifecycle.ts";
import { observeParts } from "./boot/parts.ts";
import { createStatus, type Status } from "./boot/status.ts";
import { LABELS, METRICS, type MetricConvention } from "./conventions.ts";
import { serveAdmin, type Endpoints } from "./endpoints/admin.ts";
import { now, PROCESS_START } from "./internal/clock.ts";
import { installation } from "./internal/installation.ts";
import { undoAll, type Undo } from "./internal/patch.ts";
import { warn } from "./internal/report.ts";
import { resolveOptions, type InstrumentOptions, type ResolvedOptions } from "./options.ts";
import { contextFromEnvironment } from "./propagation/environment.ts";
import { admit } from "./propagation/trust.ts";
import { installHooks } from "./rooms/hooks.ts";
import { createTraffic } from "./rooms/messages.ts";
import type { RoomsObserver } from "./rooms/observer.ts";
import { createRegistry, type Registry } from "./sessions/registry.ts";
import { endSession, type Sessions } from "./sessions/session.ts";
import { flushTelemetry } from "./telling/flush.ts";
import type { Reading } from "./telling/instruments.ts";
import { createDistributions, createTally, type Tally } from "./telling/tally.ts";
import { createTeller } from "./telling/teller.ts";

const FLUSH_MS = 3000;

/** What `instrument()` gives back. */
export interface Telemetry extends AsyncDisposable {
  /**
   * Resolves when Ready was seen; without an orchestrator, when the server listens. Rejects with the one reason when the
   * boot failed; nobody needs to listen to it.
   */
  readonly ready: Promise<void>;
  /** Where the admin port listens; undefined until it does, when it cannot, or with `endpoints: false`. */
  readonly endpoints: Endpoints | undefined;
  /** Undoes every patch, ends what is open and flushes, all within 3 seconds. The game goes on without telemetry. */
  shutdown(): Promise<void>;
}

let current: Telemetry | undefined;

/**
 * Traces this server: its boot, its rooms and its players. Call it once, after the rooms are defined and before
 * `listen()`.
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
  if (installation.by) {
    throw new Error(
      "instrument() was called already in this process: one call traces all rooms. shutdown() the first to call it again.",
    );
  }
  installation.by = "instrument";
  current = compose(server, resolved);
  return current;
}

function compose(server: Server, options: ResolvedOptions): Telemetry {
  const status = createStatus(PROCESS_START);
  const timings = {
    ticks: createDistributions(METRICS.tickDuration),
    patches: createDistributions(METRICS.patchDuration),
    traffic: options.messages ? createTraffic() : undefined,
  };
  const tallies = { rooms: createTally(), clients: createTally(), openByPhase: createTally() };
  const { orchestrator, tracerProvider, meterProvider, trust, annotationKeys } = options;
  const teller = createTeller({ tracerProvider, meterProvider, readings: readingsOf(status, tallies, timings) });
  teller.look();

  const asked = admit(contextFromEnvironment(process.env), "continue");
  teller.note({ note: "trace_context", source: "environment", outcome: asked.outcome });
  const boot = startBoot(teller, status, asked.parent);
  const allocations = observeAllocations(teller, boot, annotationKeys);
  const playable = () => allocations.playable();
  observeParts({ teller, boot, openAllocation: () => allocations.open, mapLoaded: playable });

  const registry = createRegistry(now);
  const sessions: Sessions = { teller, openByPhase: tallies.openByPhase };
  const undos: Undo[] = [
    () => observeParts(undefined),
    installHooks((meetNewRooms) => ({
      ...sessions,
      ...tallies,
      ...timings,
      trust,
      registry,
      playerJoined: playable,
      meetNewRooms,
    })),
  ];
  const admin = options.endpoints && serveAdmin(options.endpoints, status);
  const lifecycle = runLifecycle({ server, teller, status, boot, allocations, orchestrator, providers: options });

  let stopping: Promise<void> | undefined;
  const shutdown = async () => {
    endAll(registry, sessions);
    teller.endOpen();
    lifecycle.close();
    undoAll(undos);
    await Promise.all([flushTelemetry(options, FLUSH_MS), admin?.close()]);
    teller.stop();
    installation.by = undefined;
  };
  return {
    ready: lifecycle.ready,
    get endpoints() {
      return admin?.address;
    },
    shutdown: () => (stopping ??= shutdown()),
    [Symbol.asyncDispose]: () => (stopping ??= shutdown()),
  };
}

function endAll({ open }: Registry, sessions: Sessions): void {
  for (const session of open) {
    endSession(sessions, session, "telemetry_shutdown", undefined, now());
  }
  open.clear();
}

function readingsOf(
  status: Status,
  tallies: Record<"rooms" | "clients" | "openByPhase", Tally>,
  { ticks, patches, traffic }: Pick<RoomsObserver, "ticks" | "patches" | "traffic">,
): Map<MetricConvention, Reading> {
  return new Map<MetricConvention, Reading>([
    [METRICS.status, status.reading],
    [METRICS.rooms, tallies.rooms.reading(LABELS.room)],
    [METRICS.clients, tallies.clients.reading(LABELS.room)],
    [METRICS.sessions, tallies.openByPhase.reading(LABELS.phase)],
    [METRICS.tickDuration, ticks.reading(LABELS.room)],
    [METRICS.patchDuration, patches.reading(LABELS.room)],
    ...(traffic?.readings ?? []),
  ]);
}

/** In a process with two copies of core, hooks on one would see nothing of the other. */
function checkCore(server: unknown): void {
  if (server instanceof Server) {
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
