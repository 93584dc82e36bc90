import { propagation, type Attributes } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import { setTimeout as wait } from "node:timers/promises";
import type { AnnouncedTelemetry } from "../telling/announcement.ts";
import type { Ledger } from "../telling/ledger.ts";
import { createLedgerCollector } from "./metric-producer.ts";
import { measureMachine } from "./machine.ts";
import type { ResolvedTelemetryOptions } from "./options.ts";
import { openOtlpGrpc } from "./otlp-grpc.ts";
import { encodeResource } from "./otlp/request.ts";
import type { PendingMeterProvider } from "./pending-metrics.ts";
import type { PendingTracerProvider } from "./pending-tracing.ts";
import { buildPropagator } from "./propagator.ts";
import { queueProcessor } from "./queue-processor.ts";
import { metricReaders } from "./readers.ts";
import { buildResource } from "./resource.ts";
import type { SpanQueue } from "./span-queue.ts";

/** All packages at once stall the event loop for 90 ms and more; one at a time, with the game in between, for 20. */
const BREATH_MS = 30;

const PACKAGES = [
  () => import("@opentelemetry/core"),
  () => import("@opentelemetry/resources"),
  () => import("@opentelemetry/sdk-trace"),
  () => import("@opentelemetry/sdk-metrics"),
  () => import("@opentelemetry/exporter-prometheus"),
] as const;

export interface LoadedSdk {
  readonly scrape: AnnouncedTelemetry["scrape"];
  flush(): Promise<unknown>;
  shutdown(): Promise<unknown>;
}

export interface Pending {
  readonly tracing: PendingTracerProvider;
  readonly metering: PendingMeterProvider;
  readonly ledger: Ledger;
  /** Absent with span processors of the program's own, or without traces. */
  readonly queue: SpanQueue | undefined;
}

/** Loads the SDK packages, builds the providers and replays what was held back. `urgent()` is asked between packages. */
export async function loadSdk(
  { resource, spanProcessors, metricReaders: ownReaders, prometheus, ...machine }: ResolvedTelemetryOptions,
  pending: Pending,
  told: () => Attributes,
  urgent: () => boolean,
): Promise<LoadedSdk> {
  const ours = pending.queue && [() => import("@opentelemetry/otlp-grpc-exporter-base")];
  for (const load of [...PACKAGES, ...(ours ?? [])]) {
    await load();
    if (!urgent()) {
      await wait(BREATH_MS, undefined, { ref: false });
    }
  }
  const { TracerProvider } = await import("@opentelemetry/sdk-trace");
  const { MeterProvider } = await import("@opentelemetry/sdk-metrics");
  const { env } = process;
  const described = await buildResource(told(), resource, env);
  const { readers, scraped } = await metricReaders(env, prometheus);
  const tracing = new TracerProvider({
    resource: described,
    sampler: pending.tracing.sampler,
    idGenerator: pending.tracing.idGenerator,
    spanProcessors: pending.queue ? [queueProcessor(pending.queue)] : [...(spanProcessors ?? [])],
  });
  const withLedger = await createLedgerCollector(pending.ledger);
  const metering = new MeterProvider({ resource: described, readers: [...readers, ...ownReaders].map(withLedger) });
  propagation.setGlobalPropagator(await buildPropagator(env));
  pending.metering.replayInto(metering);
  pending.tracing.replayInto(tracing);
  const disconnect = pending.queue && (await connect(pending.queue, described, env));
  const unmeasure = await measureMachine(machine, metering);
  return {
    scrape: scraped && scraped.getMetricsRequestHandler.bind(scraped),
    // Rejects with an array when many exports wait; each failed batch was told already.
    flush: () => Promise.allSettled([tracing.forceFlush(), metering.forceFlush()]),
    async shutdown() {
      unmeasure();
      await Promise.allSettled([tracing.shutdown(), metering.shutdown()]);
      await disconnect?.();
    },
  };
}

async function connect(queue: SpanQueue, resource: Resource, env: NodeJS.ProcessEnv): Promise<() => Promise<void>> {
  await resource.waitForAsyncAttributes?.();
  const { send, close } = await openOtlpGrpc(env);
  queue.connect(send, encodeResource(resource));
  return () => {
    queue.close();
    return close();
  };
}
