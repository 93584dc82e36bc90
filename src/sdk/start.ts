import { context, metrics, propagation, trace, type Attributes } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import type { Sampler } from "@opentelemetry/sdk-trace";
import { announcedTelemetry, announceTelemetry, type AnnouncedTelemetry } from "../internal/announcement.ts";
import { settledWithin } from "../internal/deadline.ts";
import { installation } from "../internal/installation.ts";
import { describe, warn } from "../internal/report.ts";
import { loadSdk, type LoadedSdk, type Pending } from "./load.ts";
import { resolveTelemetryOptions, type ResolvedTelemetryOptions, type StartTelemetryOptions } from "./options.ts";
import { PendingMeterProvider } from "./pending-metrics.ts";
import { PendingTracerProvider } from "./pending-tracing.ts";
import { samplerFromEnvironment } from "./sampler.ts";

/** Nobody called instrument(), or its server never came up: the game's own spans leave all the same. */
const LOAD_ANYWAY_MS = 30_000;
const SHUTDOWN_MS = 3000;

/** What `startTelemetry()` gives back. */
export interface StartedTelemetry extends AsyncDisposable {
  /** Sends what is queued. Resolves after `deadline` milliseconds (default 3000) at the latest, and never rejects. */
  flush(deadline?: number): Promise<void>;
  /** Flushes, and takes the global providers away. */
  shutdown(): Promise<void>;
}

/** The program's own call takes over what `./register` has started, with its options. */
let takeOver: ((options: ResolvedTelemetryOptions) => StartedTelemetry) | undefined;

/**
 * Starts OpenTelemetry for this process: traces over OTLP/gRPC, metrics for Prometheus. The SDK packages are loaded only
 * when the server is Ready; what is recorded until then is kept, with its true times and ids.
 *
 * With `OTEL_SDK_DISABLED=true`, or beside another SDK, it does nothing and says so.
 *
 * @throws TypeError for an unknown option, or a value of the wrong kind
 */
export function startTelemetry(options: StartTelemetryOptions = {}): StartedTelemetry {
  let resolved = resolveTelemetryOptions(options);
  if (takeOver) {
    return takeOver(resolved);
  }
  const pending = { tracing: new PendingTracerProvider(samplerOf(resolved)), metering: new PendingMeterProvider() };
  if (!register(pending)) {
    return handle(
      async () => {},
      async () => {},
    );
  }
  const { announced, shutdown } = createTelemetry(() => resolved, pending);
  announceTelemetry(announced);
  const loadAnyway = setTimeout(() => void announced.load(false), LOAD_ANYWAY_MS).unref();
  const started = handle(announced.flush, () => {
    clearTimeout(loadAnyway);
    return shutdown();
  });
  if (installation.preloading) {
    takeOver = (theirs) => {
      takeOver = undefined;
      resolved = theirs;
      pending.tracing.askInstead(samplerOf(theirs));
      return loadingNow(theirs);
    };
  }
  return loadingNow(resolved);

  function loadingNow({ load }: ResolvedTelemetryOptions): StartedTelemetry {
    if (load === "now") {
      void announced.load(true);
    }
    return started;
  }
}

function samplerOf({ sampler }: ResolvedTelemetryOptions): Sampler {
  return sampler ?? samplerFromEnvironment(process.env);
}

function register({ tracing, metering }: Pending): boolean {
  if (process.env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true") {
    return false;
  }
  if (announcedTelemetry()) {
    warn("started", "startTelemetry() was called already, the second call does nothing");
    return false;
  }
  if (!trace.setGlobalTracerProvider(tracing)) {
    warn("started", "another OpenTelemetry SDK is registered already, startTelemetry() does nothing: that SDK is used");
    return false;
  }
  metrics.setGlobalMeterProvider(metering);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return true;
}

function createTelemetry(
  options: () => ResolvedTelemetryOptions,
  pending: Pending,
): { announced: AnnouncedTelemetry; shutdown: () => Promise<void> } {
  const told: Attributes = {};
  let urgent = false;
  let sdk: LoadedSdk | undefined;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    takeOver = undefined;
    try {
      sdk = await loadSdk(
        options(),
        pending,
        () => told,
        () => urgent,
      );
    } catch (error) {
      warn(
        "load",
        `the OpenTelemetry SDK could not be loaded, nothing is recorded: ${describe(error)}. Is everything installed that colyseus-otel/sdk needs (see README)?`,
      );
    }
  }

  async function flush(): Promise<void> {
    await announced.load(true);
    // Rejects with an array when many exports wait; each failed batch was told already.
    await Promise.allSettled([sdk?.tracing.forceFlush(), sdk?.metering.forceFlush()]);
  }

  const announced: AnnouncedTelemetry = {
    load(isUrgent) {
      urgent ||= isUrgent;
      return (loading ??= load());
    },
    flush: (deadline) => settledWithin(deadline, flush()),
    describeResource: (attributes) => void Object.assign(told, attributes),
    get scrape() {
      return sdk?.scrape;
    },
  };

  async function shutdown(): Promise<void> {
    await announced.flush(SHUTDOWN_MS);
    announceTelemetry(undefined);
    await settledWithin(SHUTDOWN_MS, Promise.allSettled([sdk?.tracing.shutdown(), sdk?.metering.shutdown()]));
    for (const api of [trace, metrics, context, propagation]) {
      api.disable();
    }
  }
  return { announced, shutdown };
}

function handle(flush: (deadline: number) => Promise<void>, shutdown: () => Promise<void>): StartedTelemetry {
  let stopping: Promise<void> | undefined;
  const once = () => (stopping ??= shutdown());
  return {
    flush: (deadline = SHUTDOWN_MS) => flush(deadline),
    shutdown: once,
    [Symbol.asyncDispose]: once,
  };
}
