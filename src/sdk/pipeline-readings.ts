import { ERROR_TYPES, LABELS, METRICS, type MetricConvention } from "../conventions.ts";
import type { Reading } from "../telling/instruments.ts";
import type { SpanQueue } from "./span-queue.ts";

/** The pipeline's own health, by the names of https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/. */
export function pipelineReadings(queue: Pick<SpanQueue, "counts" | "size">): ReadonlyMap<MetricConvention, Reading> {
  const lost = (type: string) => ({ [LABELS.errorType]: type });
  return new Map<MetricConvention, Reading>([
    [METRICS.spansQueued, () => [[{}, queue.size]]],
    [
      METRICS.spansProcessed,
      () => [
        [{}, queue.counts.sent],
        [lost(ERROR_TYPES.queueFull), queue.counts.dropped],
        [lost(ERROR_TYPES.rejected), queue.counts.rejected],
        [lost(ERROR_TYPES.notEncodable), queue.counts.unencodable],
      ],
    ],
  ]);
}
