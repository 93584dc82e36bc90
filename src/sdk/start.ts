import { context, metrics, propagation, trace, type Attributes } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import type { Sampler } from "@opentelemetry/sdk-trace";
import { announcedTelemetry, announceTelemetry, type AnnouncedTelemetry } from "../telling/announcement.ts";
import { settledWithin } from "../internal/deadline.ts";
import { installation } from "../internal/installation.ts";
import { describe, warn } from "../internal/report.ts";
import { createLedger } from "../telling/ledger.ts";
import { createSpanQueue } from "./exporters.ts";
import { createFastLane } from "./fast-lane.ts";
import { loadSdk, type LoadedSdk } from "./load.ts";
import { pipelineReadings } from "./pipeline-readings.ts";
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

interface Preloaded {
  /** The program's own call takes over what `./register` has started, with its options. */
  takeOver?: ((options: ResolvedTelemetryOptions) => StartedTelemetry) | undefined;
}

// On the global: by tsx the preload's call is of a copy of this module.
const preloaded: typeof installation & Preloaded = installation;

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
  if (preloaded.takeOver) {
    return preloaded.takeOver(resolved);
  }
  const tracing = new PendingTracerProvider(samplerOf(resolved));
  const metering = new PendingMeterProvider();
  if (!register(tracing, metering)) {
    return handle(
      async () => {},
      async () => {},
    );
  }
  const { announced, shutdown } = createTelemetry(() => resolved, tracing, metering);
  announceTelemetry(announced);
  const loadAnyway = setTimeout(() => void announced.load(false), LOAD_ANYWAY_MS).unref();
  const started = handle(announced.flush, () => {
    clearTimeout(loadAnyway);
    return shutdown();
  });
  if (installation.preloading) {
    preloaded.takeOver = (theirs) => {
      preloaded.takeOver = undefined;
      resolved = theirs;
      tracing.askInstead(samplerOf(theirs));
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

function register(tracing: PendingTracerProvider, metering: PendingMeterProvider): boolean {
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
  tracing: PendingTracerProvider,
  metering: PendingMeterProvider,
): { announced: AnnouncedTelemetry; shutdown: () => Promise<void> } {
  const told: Attributes = {};
  const ledger = createLedger();
  let urgent = false;
  let sdk: LoadedSdk | undefined;
  let loading: Promise<void> | undefined;

  /** Decides the lane once and for all, so the options are final from here on. */
  const fast = lazily(() => {
    preloaded.takeOver = undefined;
    const { spanProcessors, queueBytes } = options();
    const queue = spanProcessors ? undefined : createSpanQueue(queueBytes, process.env);
    if (!queue) {
      return undefined;
    }
    ledger.observe(pipelineReadings(queue));
    return { queue, lane: createFastLane(tracing, queue) };
  });

  async function load(): Promise<void> {
    const queue = fast()?.queue;
    try {
      sdk = await loadSdk(
        options(),
        { tracing, metering, ledger, queue },
        () => told,
        () => urgent,
      );
    } catch (error) {
      queue?.close();
      warn(
        "load",
        `the OpenTelemetry SDK could not be loaded, nothing is recorded: ${describe(error)}. Is everything installed that colyseus-otel/sdk needs (see README)?`,
      );
    }
  }

  async function flush(): Promise<void> {
    await announced.load(true);
    await sdk?.flush();
  }

  const announced: AnnouncedTelemetry = {
    load(isUrgent) {
      urgent ||= isUrgent;
      return (loading ??= load());
    },
    flush: (deadline) => settledWithin(deadline, flush()),
    get lane() {
      return fast()?.lane;
    },
    metering: ledger,
    describeResource: (attributes) => void Object.assign(told, attributes),
    get scrape() {
      return sdk?.scrape;
    },
  };

  async function shutdown(): Promise<void> {
    await announced.flush(SHUTDOWN_MS);
    announceTelemetry(undefined);
    await settledWithin(SHUTDOWN_MS, Promise.resolve(sdk?.shutdown()));
    for (const api of [trace, metrics, context, propagation]) {
      api.disable();
    }
  }
  return { announced, shutdown };
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
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
