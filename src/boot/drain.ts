import { isDevMode, matchMaker, type Server } from "@colyseus/core";
import { ERROR_TYPES } from "../conventions.ts";
import { settledWithin } from "../internal/deadline.ts";
import { shadow, type Undo } from "../internal/patch.ts";
import { describe, guard, warn } from "../internal/report.ts";
import type { Orchestrator } from "../orchestrators/orchestrator.ts";
import { flushTelemetry, type Providers } from "../telling/flush.ts";
import type { Allocations } from "./allocation.ts";
import type { Boot } from "./boot.ts";
import type { Status } from "./status.ts";

export interface DrainParts {
  readonly server: Server;
  readonly status: Status;
  readonly boot: Boot;
  readonly allocations: Allocations;
  readonly orchestrator: Orchestrator | undefined;
  readonly rooms: { endAll(reason: string): void; settle(): Promise<void> };
  readonly drain: { crashed: boolean };
  readonly options: Providers & { readonly drainDeadline: number | undefined };
}

/** The last telemetry leaves within this; likewise the orchestrator is told. */
const EXPORT_MS = 3000;

/** A shutdown so soon after an uncaught error is one for it. A game that lives on after one has not crashed. */
const CRASH_MS = 1000;

/**
 * `gracefullyShutdown`: what is open has ended when core's own part is over; then the telemetry leaves and the orchestrator
 * is told. Core's two callback slots stay the game's. Core would end the process itself, so it is asked not to, and its
 * exit is made up for.
 *
 * @param ended core's own part is over
 */
export function traceDrain(parts: DrainParts, ended: () => void): Undo {
  const crash = watchForCrash();
  // A second signal, while the game's onBeforeShutdown still runs, comes all the way through as well.
  let told: Promise<void> | undefined;
  const tellOrchestrator = () => (told ??= stopOrchestrator(parts.orchestrator));
  const undo = shadow(
    parts.server,
    "gracefullyShutdown",
    (original) =>
      async function drained(this: Server, exit: boolean = true, error?: Error) {
        if (matchMaker.state === matchMaker.MatchMakerState.SHUTTING_DOWN) {
          return original.call(this, exit, error);
        }
        parts.status.enter("draining");
        parts.drain.crashed = error !== undefined || crash.recent();
        // Nobody comes back to a server that goes down.
        void parts.rooms.settle();
        const deadline = setDeadline(parts);
        await original.call(this, false, error);
        clearTimeout(deadline);
        const since = performance.now();
        endAll(parts);
        ended();
        await parts.rooms.settle();
        const left = EXPORT_MS - (performance.now() - since);
        await Promise.all([flushTelemetry(parts.options, left), tellOrchestrator()]);
        if (exit) {
          process.exit(error && !isDevMode ? 1 : 0);
        }
      },
  );
  return () => {
    undo();
    crash.undo();
  };
}

/** An error that nobody caught: core and games shut down for it, some without saying so. */
function watchForCrash(): { recent(): boolean; readonly undo: Undo } {
  let at = -Infinity;
  const note = () => {
    at = performance.now();
  };
  // The monitor changes nothing about how the process ends.
  process.on("uncaughtExceptionMonitor", note);
  return {
    recent: () => performance.now() - at < CRASH_MS,
    undo: () => process.off("uncaughtExceptionMonitor", note),
  };
}

function setDeadline(parts: DrainParts): NodeJS.Timeout | undefined {
  const { drainDeadline } = parts.options;
  return drainDeadline === undefined
    ? undefined
    : setTimeout(() => {
        endSessions(parts);
        void parts.rooms.settle().then(() => flushTelemetry(parts.options, EXPORT_MS));
      }, drainDeadline).unref();
}

function endSessions({ rooms, drain }: DrainParts): void {
  guard("drain", () => rooms.endAll(drain.crashed ? "crash" : "server_shutdown"));
}

/** What is still open: of the sessions none, unless a room held on to its players. */
function endAll(parts: DrainParts): void {
  endSessions(parts);
  guard("drain", () => {
    parts.allocations.close();
    parts.boot.finish({ type: ERROR_TYPES.interrupted, expected: false, message: "shut down before Ready" });
    parts.status.enter("stopped");
  });
}

async function stopOrchestrator(orchestrator: Orchestrator | undefined): Promise<void> {
  if (!orchestrator) {
    return;
  }
  // It may be the game's own, and throw: the process ends after this.
  const stopped = (async () => orchestrator.shutdown())();
  stopped.catch((error: unknown) =>
    warn("orchestrator shutdown", `${orchestrator.name} was not told that this server is done: ${describe(error)}`),
  );
  await settledWithin(EXPORT_MS, stopped);
  guard("orchestrator", () => orchestrator.close());
}
