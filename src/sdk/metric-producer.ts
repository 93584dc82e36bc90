import { ValueType, type HrTime } from "@opentelemetry/api";
import type * as MetricsSdk from "@opentelemetry/sdk-metrics";
import type { CollectionResult, MetricData, MetricProducer, MetricReader } from "@opentelemetry/sdk-metrics";
import { SCOPE } from "../conventions.ts";
import { hrTime } from "../internal/clock.ts";
import type { Distribution } from "../telling/distribution.ts";
import type { Ledger, LedgerMetric, LedgerSeries } from "../telling/ledger.ts";

/**
 * Has a reader, ours or the program's, collect the ledger together with what the SDK's own instruments have. To be done
 * before the reader is given to a MeterProvider.
 *
 * What the ledger tells is cumulative, also for a reader that prefers deltas, and no view applies to it.
 */
export async function createLedgerCollector(ledger: Ledger): Promise<(reader: MetricReader) => MetricReader> {
  const sdk = await import("@opentelemetry/sdk-metrics");
  return (reader) => {
    const bind = reader.setMetricProducer;
    // The option metricProducers is read in the constructor, which is past for a reader of the program's own.
    reader.setMetricProducer = function setMetricProducer(this: MetricReader, producer) {
      bind.call(
        this,
        withLedger(producer, () => readLedger(ledger, sdk)),
      );
    };
    return reader;
  };
}

type Sdk = Pick<typeof MetricsSdk, "AggregationTemporality" | "DataPointType">;

function withLedger(producer: MetricProducer, read: () => MetricData[]): MetricProducer {
  return {
    async collect(options): Promise<CollectionResult> {
      const { resourceMetrics, errors } = await producer.collect(options);
      const metrics = read();
      const ours = metrics.length === 0 ? [] : [{ scope: SCOPE, metrics }];
      return {
        resourceMetrics: { ...resourceMetrics, scopeMetrics: [...resourceMetrics.scopeMetrics, ...ours] },
        errors,
      };
    },
  };
}

function readLedger(ledger: Ledger, sdk: Sdk): MetricData[] {
  const endTime = hrTime(Date.now());
  return Array.from(ledger.collect(), (collected) => toMetricData(collected, endTime, sdk));
}

function toMetricData({ metric, series }: LedgerMetric, endTime: HrTime, sdk: Sdk): MetricData {
  const base = {
    descriptor: { name: metric.name, description: metric.doc, unit: metric.unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: sdk.AggregationTemporality.CUMULATIVE,
  };
  const point = <T>({ labels, since }: LedgerSeries, value: T) => ({
    attributes: labels,
    startTime: hrTime(since),
    endTime,
    value,
  });
  if (metric.kind === "histogram") {
    const dataPoints = series.flatMap((one) =>
      typeof one.value === "number" ? [] : [point(one, histogramOf(one.value))],
    );
    return { ...base, dataPointType: sdk.DataPointType.HISTOGRAM, dataPoints };
  }
  const dataPoints = series.flatMap((one) => (typeof one.value === "number" ? [point(one, one.value)] : []));
  return { ...base, dataPointType: sdk.DataPointType.SUM, isMonotonic: metric.kind === "counter", dataPoints };
}

/** A copy: the exporter may be at it while the game goes on. */
function histogramOf({ bounds, counts, count, sum, min, max }: Distribution) {
  return {
    buckets: { boundaries: [...bounds], counts: [...counts] },
    count,
    sum,
    ...(count > 0 && { min, max }),
  };
}
