import { InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import type { DataPoint, MetricData, MetricReader } from "@opentelemetry/sdk-metrics";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { METRICS, SCOPE, type MetricConvention } from "../src/conventions.ts";
import { createLedgerCollector } from "../src/sdk/metric-producer.ts";
import { createInstruments, type Reading } from "../src/telling/instruments.ts";
import { createLedger } from "../src/telling/ledger.ts";
import { createDistributions } from "../src/telling/tally.ts";

const RECORDED: readonly MetricConvention[] = [
  METRICS.joinDuration,
  METRICS.joins,
  METRICS.provisionDuration,
  METRICS.provisionOutcomes,
  METRICS.sessionEnds,
];

function newReader(): MetricReader {
  return new PeriodicExportingMetricReader({
    exporter: new InMemoryMetricExporter(1),
    exportIntervalMillis: 3_600_000,
  });
}

/** The same reader twice: one sees the ledger through a MetricProducer, one the SDK's instruments. */
async function sideBySide() {
  const ledger = createLedger();
  const ours = (await createLedgerCollector(ledger))(newReader());
  const theirs = newReader();
  void new MeterProvider({ readers: [ours] });
  const meter = new MeterProvider({ readers: [theirs] }).getMeter(SCOPE.name, SCOPE.version);
  const instruments = createInstruments(meter);
  return { ledger, ours, theirs, instruments };
}

/** All that a reader collects, without times: of descriptors what their type declares. */
async function collected(reader: MetricReader) {
  const { scopeMetrics } = await collect(reader);
  return scopeMetrics.map(({ scope, metrics }) => ({
    scope: { name: scope.name, version: scope.version },
    metrics: metrics.map(({ descriptor: { name, description, unit, valueType }, ...metric }) => ({
      ...metric,
      descriptor: { name, description, unit, valueType },
      dataPoints: (metric.dataPoints as DataPoint<unknown>[]).map(({ attributes, value }) => ({ attributes, value })),
    })),
  }));
}

async function exposition(reader: MetricReader): Promise<string> {
  return new PrometheusSerializer(undefined, false, undefined, true, true).serialize(await collect(reader));
}

/** Metrics by name: an instrument of the SDK is there from the first value that it refuses. */
async function collect(reader: MetricReader) {
  const { resourceMetrics, errors } = await reader.collect();
  expect(errors).toEqual([]);
  const byName = (a: MetricData, b: MetricData) => a.descriptor.name.localeCompare(b.descriptor.name);
  const scopeMetrics = resourceMetrics.scopeMetrics.map(({ scope, metrics }) => ({
    scope,
    metrics: metrics.toSorted(byName),
  }));
  return { ...resourceMetrics, scopeMetrics };
}

const label = fc.option(fc.constantFrom("arena", "lobby", 'a "quoted"\nroom', "", "__proto__"), { nil: undefined });
const value = fc.oneof(fc.constantFrom(0, 0.001, 0.01, 10, 11, Infinity, -1), fc.double({ min: 0, noNaN: true }));
const records = fc.array(
  fc.record({
    metric: fc.constantFrom(...RECORDED),
    value,
    labels: fc.array(label, { minLength: 4, maxLength: 4 }),
  }),
  { maxLength: 60 },
);

test("any records make the same series as the SDK's instruments, point by point, and the same text for Prometheus", async () => {
  await fc.assert(
    fc.asyncProperty(records, records, async (first, second) => {
      const { ledger, ours, theirs, instruments } = await sideBySide();
      // Twice: what was collected once goes on.
      for (const batch of [first, second]) {
        for (const { metric, value: amount, labels } of batch) {
          ledger.record(metric, amount, ...labels);
          instruments.record(metric, amount, ...labels);
        }
        expect(await collected(ours)).toEqual(await collected(theirs));
        expect(await exposition(ours)).toBe(await exposition(theirs));
      }
    }),
    { numRuns: 200 },
  );
});

test("points begin with their first record and end when they are collected", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000_500 });
  try {
    const { ledger, ours } = await sideBySide();
    ledger.record(METRICS.joins, 1, "arena", "new", "accepted");
    vi.setSystemTime(1_000_002_250);
    ledger.record(METRICS.joins, 1, "arena", "new", "accepted");
    const [point] = (await metricsOf(ours))[0]!.dataPoints;
    expect(point).toMatchObject({ startTime: [1_000_000, 500_000_000], endTime: [1_000_002, 250_000_000], value: 2 });
  } finally {
    vi.useRealTimers();
  }
});

test("what is collected stays as it was while the game goes on", async () => {
  const { ledger, ours } = await sideBySide();
  ledger.record(METRICS.joinDuration, 0.5, "arena");
  const before = await metricsOf(ours);
  const copy = structuredClone(before);
  ledger.record(METRICS.joinDuration, 0.5, "arena");
  expect(before).toEqual(copy);
});

test("a label that is left out and one that is undefined are the same series, and so are two tables of one name", async () => {
  const { ledger, ours } = await sideBySide();
  ledger.record(METRICS.joinDuration, 1, "arena");
  ledger.record(METRICS.joinDuration, 1, "arena", undefined);
  // Each bundle of the package has a table of its own.
  ledger.record({ ...METRICS.joinDuration }, 1, "arena");
  const [metric, ...others] = await metricsOf(ours);
  expect(others).toEqual([]);
  expect(metric!.dataPoints).toMatchObject([{ attributes: { room: "arena" }, value: { count: 3 } }]);
});

test("a NaN is counted nowhere: one of them would make a counter NaN for ever", async () => {
  const { ledger, ours } = await sideBySide();
  for (const metric of RECORDED) {
    ledger.record(metric, Number.NaN, "arena");
  }
  expect(await metricsOf(ours)).toEqual([]);
});

test("beyond 2,000 series all else is one series, as in the SDK, and what was known before is counted on", async () => {
  const { ledger, ours, theirs, instruments } = await sideBySide();
  const both = (room: string) => [ledger, instruments].forEach((one) => one.record(METRICS.roomLifetime, 1, room));
  for (let room = 0; room < 3000; room += 1) {
    both(`room-${room}`);
  }
  both("room-7");
  both("room-2999");
  expect(await collected(ours)).toEqual(await collected(theirs));
  const points = (await metricsOf(ours))[0]!.dataPoints;
  expect(points).toHaveLength(2000);
  expect(points.at(-1)).toMatchObject({ attributes: { "otel.metric.overflow": true }, value: { count: 1002 } });
});

test("readings are read at each collection until they are taken away, and are what the SDK's observables are", async () => {
  const { ledger, ours, theirs, instruments } = await sideBySide();
  let open = 3;
  const readings = new Map<MetricConvention, Reading>([
    [METRICS.sessions, () => [[{ phase: "in_game" }, open] as const, [{ phase: "matchmaking" }, 0] as const]],
    [METRICS.messages, () => [[{ direction: "sent", room: "arena" }, open * 100] as const]],
  ]);
  const undo = ledger.observe(readings);
  const stop = instruments.observe(readings);
  expect(await collected(ours)).toEqual(await collected(theirs));
  open = 4;
  expect(await collected(ours)).toEqual(await collected(theirs));
  expect(JSON.stringify(await collected(ours))).toContain('"value":400');
  undo();
  expect(await metricsOf(ours)).toEqual([]);
  stop();
  open = 5;
  expect(JSON.stringify(await collected(theirs))).not.toContain('"value":500');
});

test("a reading that throws costs no other metric", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const { ledger, ours } = await sideBySide();
  ledger.observe(
    new Map<MetricConvention, Reading>([
      [
        METRICS.rooms,
        () => {
          throw new Error("no rooms");
        },
      ],
      [METRICS.clients, () => [[{ room: "arena" }, 2] as const]],
    ]),
  );
  expect((await metricsOf(ours)).map(({ descriptor }) => descriptor.name)).toEqual(["colyseus.clients"]);
  expect(warned.mock.calls.flat().join()).toContain("no rooms");
  warned.mockRestore();
});

test("a reader of the program's own sees ours beside its own instruments, and so does the exporter for Prometheus", async () => {
  const ledger = createLedger();
  const withLedger = await createLedgerCollector(ledger);
  const readers = [newReader(), new PrometheusExporter({ preventServerStart: true })].map((one) => withLedger(one));
  const provider = new MeterProvider({ readers });
  provider.getMeter("game").createCounter("shots").add(2);
  ledger.record(METRICS.joins, 1, "arena", "new", "accepted");
  for (const reader of readers) {
    const names = (await metricsOf(reader)).map(({ descriptor }) => descriptor.name);
    expect(names.toSorted()).toEqual(["colyseus.joins", "shots"]);
  }
});

test("the quantiles of an SDK of the program's own are those of the stretch since the last collection", async () => {
  const { theirs, instruments } = await sideBySide();
  const ticks = createDistributions(METRICS.tickDuration);
  instruments.observe(new Map<MetricConvention, Reading>([[METRICS.tickDuration, ticks.reading("room")]]));
  const arena = ticks.of("arena");
  const quantiles = async () =>
    Object.fromEntries(
      (await metricsOf(theirs)).map(({ descriptor, dataPoints }) => [
        descriptor.name.replace("colyseus.tick.duration.", ""),
        dataPoints[0]!.value,
      ]),
    );
  for (let tick = 0; tick < 98; tick += 1) {
    arena.add(0.002);
  }
  arena.add(0.02);
  arena.add(0.04);
  const first = await quantiles();
  expect(first["p50"]).toBeGreaterThan(0.001);
  expect(first["p50"]).toBeLessThanOrEqual(0.0025);
  expect(first["p99"]).toBe(0.025);
  expect(first["max"]).toBe(0.04);
  arena.add(0.003);
  expect(await quantiles()).toMatchObject({ max: 0.003, p99: expect.closeTo(0.003, 4) });
  // Nobody ticked: the last answer stays.
  expect(await quantiles()).toMatchObject({ max: 0.003 });
});

test("quantiles lie in the bucket of the true one, and never above the largest value", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: 1 }), async (values) => {
      const { theirs, instruments } = await sideBySide();
      const ticks = createDistributions(METRICS.tickDuration);
      instruments.observe(new Map<MetricConvention, Reading>([[METRICS.tickDuration, ticks.reading("room")]]));
      values.forEach((one) => ticks.of("arena").add(one));
      const sorted = values.toSorted((a, b) => a - b);
      const bucketOf = (one: number) => METRICS.tickDuration.buckets!.findIndex((bound) => one <= bound);
      const [max, p50, p99] = (await metricsOf(theirs)).map(({ dataPoints }) => dataPoints[0]!.value as number);
      expect(max).toBe(sorted.at(-1));
      for (const [quantile, share] of [
        [p50!, 0.5],
        [p99!, 0.99],
      ] as const) {
        expect(bucketOf(quantile)).toBe(bucketOf(sorted[Math.ceil(share * sorted.length) - 1]!));
        expect(quantile).toBeLessThanOrEqual(max!);
      }
    }),
    { numRuns: 100 },
  );
});

async function metricsOf(reader: MetricReader): Promise<MetricData[]> {
  return (await collect(reader)).scopeMetrics.flatMap(({ metrics }) => metrics);
}
