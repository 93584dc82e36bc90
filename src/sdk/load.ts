import { propagation, type Attributes } from "@opentelemetry/api";
import type { MeterProvider } from "@opentelemetry/sdk-metrics";
import type { TracerProvider } from "@opentelemetry/sdk-trace";
import { setTimeout as wait } from "node:timers/promises";
import type { AnnouncedTelemetry } from "../internal/announcement.ts";
import { metricReaders, otlpSpanProcessors } from "./exporters.ts";
import type { ResolvedTelemetryOptions } from "./options.ts";
import type { PendingMeterProvider } from "./pending-metrics.ts";
import type { PendingTracerProvider } from "./pending-tracing.ts";
import { buildPropagator } from "./propagator.ts";
import { buildResource } from "./resource.ts";

/** All packages at once stall the event loop for 90 ms and more; one at a time, with the game in between, for 20. */
const BREATH_MS = 30;

const PACKAGES = [
  () => import("@opentelemetry/core"),
  () => import("@opentelemetry/resources"),
  () => import("@opentelemetry/sdk-trace"),
  () => import("@opentelemetry/sdk-metrics"),
  () => import("@opentelemetry/exporter-prometheus"),
  () => import("@opentelemetry/exporter-trace-otlp-grpc"),
] as const;

export interface LoadedSdk {
  readonly tracing: TracerProvider;
  readonly metering: MeterProvider;
  readonly scrape: AnnouncedTelemetry["scrape"];
}

export interface Pending {
  readonly tracing: PendingTracerProvider;
  readonly metering: PendingMeterProvider;
}

/** Loads the SDK packages, builds the providers and replays what was held back. `urgent()` is asked between packages. */
export async function loadSdk(
  { resource, spanProcessors, metricReaders: ownReaders, prometheus }: ResolvedTelemetryOptions,
  pending: Pending,
  told: () => Attributes,
  urgent: () => boolean,
): Promise<LoadedSdk> {
  for (const load of PACKAGES) {
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
    spanProcessors: [...(spanProcessors ?? (await otlpSpanProcessors(env)))],
  });
  const metering = new MeterProvider({ resource: described, readers: [...readers, ...ownReaders] });
  propagation.setGlobalPropagator(await buildPropagator(env));
  pending.metering.replayInto(metering);
  pending.tracing.replayInto(tracing);
  return { tracing, metering, scrape: scraped && scraped.getMetricsRequestHandler.bind(scraped) };
}
