import { isDevMode, matchMaker, type Server } from "@colyseus/core";
import { ERROR_TYPES } from "../conventions.ts";
import { announcedTelemetry } from "../telling/announcement.ts";
import { settledWithin } from "../internal/deadline.ts";
import { shadow, undoAll, type Undo } from "../internal/patch.ts";
import { describe, guard, warn } from "../internal/report.ts";
import type { Orchestrator, OrchestratorEvents } from "../orchestrators/orchestrator.ts";
import { flushTelemetry, type Providers } from "../telling/flush.ts";
import type { Failure } from "../telling/step.ts";
import type { SearchingTeller } from "../telling/teller.ts";
import type { Allocations } from "./allocation.ts";
import type { Boot } from "./boot.ts";
import { traceListen } from "./listen.ts";
import type { Status } from "./status.ts";

/** A process that failed to boot, or that drains, waits this long for its telemetry to leave. */
const EXPORT_MS = 2000;
const DRAIN_MS = 3000;
const LOOK_EVERY_MS = 1000;
const LOOKS = 30;

export interface LifecycleParts {
  readonly server: Server;
  readonly teller: SearchingTeller;
  readonly status: Status;
  readonly boot: Boot;
  readonly allocations: Allocations;
  readonly orchestrator: Orchestrator | undefined;
  readonly providers: Providers;
}

export interface Lifecycle {
  readonly ready: Promise<void>;
  close(): void;
}

/** From the first connect to the orchestrator, over listening and Ready, to the drain. */
export function runLifecycle(parts: LifecycleParts): Lifecycle {
  const { server, teller, status, boot, orchestrator, providers } = parts;
  const undos: Undo[] = [];
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});

  async function becomeReady(): Promise<void> {
    boot.listening();
    try {
      await orchestrator?.ready();
    } catch (error) {
      await failBoot({ type: ERROR_TYPES.orchestratorFailed, expected: false, message: describe(error) }, error);
      return;
    }
    boot.finish();
    // An allocation that came with the same look at the orchestrator has set its state already.
    if (status.state === "starting") {
      status.enter("ready");
    }
    undos.push(lookForSdk(teller));
    ready.resolve();
  }

  async function failBoot(failure: Failure, error: unknown): Promise<void> {
    if (boot.over) {
      return;
    }
    const reason = failure.message ?? failure.type;
    boot.finish(failure);
    status.fail(reason);
    warn("boot", `the boot failed: ${reason}`);
    ready.reject(error);
    undos.push(lookForSdk(teller));
    await flushTelemetry(providers, EXPORT_MS);
  }

  guard("orchestrator", () => orchestrator?.connect(orchestratorEvents(parts)));
  undos.push(
    traceListen(server, { boot, onListening: () => void becomeReady(), onFailed: failBoot }),
    traceDrain(parts),
    () => orchestrator?.close(),
  );
  return { ready: ready.promise, close: () => undoAll(undos) };
}

function orchestratorEvents({ boot, allocations, status }: LifecycleParts): OrchestratorEvents {
  return {
    begin: (span, attributes) => boot.begin(span, attributes),
    end: (step, failure) => boot.end(step, failure),
    identified: (attributes) => announcedTelemetry()?.describeResource(attributes),
    allocated(allocation) {
      status.enter("allocated");
      allocations.allocated(allocation);
    },
  };
}

/** Has ours loaded, or looks for the program's own, which may be registered late. Nothing at all is said once. */
function lookForSdk(teller: SearchingTeller): Undo {
  void announcedTelemetry()?.load(false);
  if (teller.look()) {
    return () => {};
  }
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    void announcedTelemetry()?.load(false);
    const found = teller.look();
    if (!found && looks < LOOKS) {
      return;
    }
    clearInterval(timer);
    teller.giveUp();
    if (!teller.active) {
      warn(
        "no sdk",
        "no OpenTelemetry SDK is registered, so nothing is recorded: call startTelemetry() from colyseus-otel/sdk, or start your own.",
      );
    }
  }, LOOK_EVERY_MS).unref();
  return () => clearInterval(timer);
}

/**
 * `gracefullyShutdown`: what is open has ended when core's own part is over; then the telemetry leaves and the orchestrator
 * is told. Core's two callback slots stay the game's. Core would end the process itself, so it is asked not to, and its
 * exit is made up for.
 */
function traceDrain(parts: LifecycleParts): Undo {
  return shadow(
    parts.server,
    "gracefullyShutdown",
    (original) =>
      async function drained(this: Server, exit: boolean = true, error?: Error) {
        if (matchMaker.state === matchMaker.MatchMakerState.SHUTTING_DOWN) {
          return original.call(this, exit, error);
        }
        parts.status.enter("draining");
        await original.call(this, false, error);
        await drain(parts);
        if (exit) {
          process.exit(error && !isDevMode ? 1 : 0);
        }
      },
  );
}

async function drain({ boot, allocations, status, orchestrator, providers }: LifecycleParts): Promise<void> {
  guard("drain", () => {
    allocations.close();
    boot.finish({ type: ERROR_TYPES.interrupted, expected: false, message: "shut down before Ready" });
    status.enter("stopped");
  });
  await Promise.all([flushTelemetry(providers, DRAIN_MS), orchestrator && stopOrchestrator(orchestrator)]);
}

async function stopOrchestrator(orchestrator: Orchestrator): Promise<void> {
  const stopped = orchestrator.shutdown();
  stopped.catch((error: unknown) =>
    warn("orchestrator shutdown", `${orchestrator.name} was not told that this server is done: ${describe(error)}`),
  );
  await settledWithin(DRAIN_MS, stopped);
  orchestrator.close();
}
