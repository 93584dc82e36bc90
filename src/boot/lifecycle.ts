import type { Server } from "@colyseus/core";
import type { SpanContext } from "@opentelemetry/api";
import { ERROR_TYPES } from "../conventions.ts";
import { announcedTelemetry } from "../telling/announcement.ts";
import { undoAll, type Undo } from "../internal/patch.ts";
import { describe, guard, warn } from "../internal/report.ts";
import type { OrchestratorEvents } from "../orchestrators/orchestrator.ts";
import { formatTraceparent } from "../propagation/traceparent.ts";
import { flushTelemetry } from "../telling/flush.ts";
import type { Failure } from "../telling/step.ts";
import type { SearchingTeller } from "../telling/teller.ts";
import { isServedByVite } from "./dev-server.ts";
import { traceDrain, type DrainParts } from "./drain.ts";
import { tellLater } from "./later-step.ts";
import { traceListen } from "./listen.ts";

/** A process that failed to boot waits this long for its telemetry to leave. */
const EXPORT_MS = 2000;
const LOOK_EVERY_MS = 1000;
const LOOKS = 30;

export interface LifecycleParts extends DrainParts {
  readonly teller: SearchingTeller;
}

export interface Lifecycle {
  readonly ready: Promise<void>;
  /** A reload in development has made another server, which is shut down in its stead. */
  follow(server: Server): void;
  close(): void;
}

/** From the first connect to the orchestrator, over listening and Ready, to the drain. */
export function runLifecycle(parts: LifecycleParts): Lifecycle {
  const { teller, status, boot, orchestrator, options } = parts;
  let { server } = parts;
  const undos: Undo[] = [];
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});
  let ended = false;

  function end(): void {
    ended = true;
    ready.reject(new Error("the server was shut down before Ready"));
  }

  async function becomeReady(): Promise<void> {
    boot.listening();
    try {
      await orchestrator?.ready(boundPort(server));
    } catch (error) {
      await failBoot({ type: ERROR_TYPES.orchestratorFailed, expected: false, message: describe(error) }, error);
      return;
    }
    if (ended) {
      return;
    }
    boot.finish();
    // It may have come with the same look at the orchestrator, or with the first one of a process that was restarted.
    status.enter(parts.allocations.isAllocated ? "allocated" : "ready");
    undos.push(lookForSdk(teller));
    ready.resolve();
  }

  async function failBoot(failure: Failure, error: unknown): Promise<void> {
    if (boot.over || ended) {
      return;
    }
    const reason = failure.message ?? failure.type;
    boot.finish(failure);
    status.fail(reason);
    warn("boot", `the boot failed: ${reason}`);
    ready.reject(error);
    undos.push(lookForSdk(teller));
    await flushTelemetry(options, EXPORT_MS);
  }

  const drain = () => {
    server.gracefullyShutdown().catch((error: unknown) => warn("drain", `the shutdown failed: ${describe(error)}`));
  };

  guard("orchestrator", () => orchestrator?.connect(orchestratorEvents(parts, drain)));
  if (isServedByVite(server)) {
    queueMicrotask(() => void becomeReady());
  } else {
    undos.push(traceListen(server, { boot, onListening: () => void becomeReady(), onFailed: failBoot }));
  }
  let undoDrain = traceDrain(parts, end);
  undos.push(
    end,
    () => undoDrain(),
    () => orchestrator?.close(),
  );
  return {
    ready: ready.promise,
    follow(next) {
      undoDrain();
      server = next;
      undoDrain = traceDrain({ ...parts, server }, end);
    },
    close: () => undoAll(undos),
  };
}

function orchestratorEvents(
  { teller, boot, allocations, status }: LifecycleParts,
  drain: () => void,
): OrchestratorEvents {
  return {
    begin: (span, attributes) => boot.begin(span, attributes),
    end: (step, failure) => boot.end(step, failure),
    identified: (attributes) => announcedTelemetry()?.describeResource(attributes),
    traceparent: () => traceparentOf(boot.step.spanContext),
    allocated(allocation) {
      // Nobody can join before the port is bound.
      if (!allocation.past && boot.over) {
        status.enter("allocated");
      }
      return traceparentOf(allocations.allocated(allocation));
    },
    released() {
      allocations.released();
      if (status.state === "allocated") {
        status.enter("ready");
      }
    },
    trouble: (reason) => status.suffer(reason),
    told: (step) => tellLater(teller, step),
    fault: (kind) => teller.note({ note: "orchestrator.fault", kind }),
    drain,
  };
}

function traceparentOf(spanContext: SpanContext | undefined): string | undefined {
  return spanContext && formatTraceparent(spanContext);
}

/** 0 where the transport has no HTTP server of its own. */
function boundPort({ transport }: Server): number {
  const address = transport?.server?.address();
  return typeof address === "object" && address !== null ? address.port : 0;
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
