import { QueueRoom, Room, ServerError, type Client } from "@colyseus/core";
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader,
  type MetricReader,
} from "@opentelemetry/sdk-metrics";
import { afterEach, expect, test, vi } from "vitest";
import { mapLoad } from "colyseus-otel";
import { startTelemetry } from "colyseus-otel/sdk";
import { drop, returnAtOnce, GLOBAL_PROVIDERS, roomOf, startServer, until, type TestServer } from "./_server.ts";

/** Of one process with three room types: some 14 a room type to which all of it happened, and 11 for the rest. */
const MAX_SERIES = 100;

afterEach(() => {
  vi.unstubAllEnvs();
});

class Duel extends Room {
  static override async onAuth(_token: string, { ticket }: { ticket?: string }) {
    return ticket !== "forged";
  }
  override maxClients = 2;
  override onCreate() {
    this.setTimestep(() => {}, 5);
    mapLoad("dust2", () => {});
  }
  override onJoin(_client: Client, { bad }: { bad?: "throws" | "refuses" }) {
    if (bad) {
      throw bad === "throws" ? new Error("no spawn point") : new ServerError(4444, "banned");
    }
  }
  override onDrop(client: Client) {
    this.allowReconnection(client, 0.2).catch(() => {});
  }
}

test("a story with all that can happen leaves few histogram series, and the same story again not one more", async () => {
  vi.stubEnv("OTEL_TRACES_EXPORTER", "none");
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  await using _sdk = startTelemetry({ load: "now", metricReaders: [reader] });
  const rooms = { duel: Duel, raid: class extends Duel {}, queue: QueueRoom };
  await using game = await startServer(rooms, {}, undefined, GLOBAL_PROVIDERS);
  const story = () => Promise.all([play(game, "duel"), play(game, "raid"), queue(game)]);
  await story();
  const series = await histogramSeries(reader);
  expect(series.length, `${series.length - MAX_SERIES} series over the budget`).toBeLessThanOrEqual(MAX_SERIES);
  expect(series).toContain('colyseus.join.duration {"room":"raid","error.type":"hook_error"}');
  await story();
  // A queue lives shorter than until its first patch, unless the machine is slow.
  const unpatched = (all: string[]) => all.filter((one) => one !== 'colyseus.patch.duration {"room":"queue"}');
  expect(unpatched(await histogramSeries(reader))).toEqual(unpatched(series));
});

async function histogramSeries(reader: MetricReader): Promise<string[]> {
  const { resourceMetrics } = await reader.collect();
  return resourceMetrics.scopeMetrics
    .flatMap(({ metrics }) => metrics)
    .filter(({ dataPointType }) => dataPointType === DataPointType.HISTOGRAM)
    .flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes }) => `${descriptor.name} ${JSON.stringify(attributes)}`),
    )
    .toSorted();
}

/** Everything that a request and a join can come to, a return, and every way out but the crash. */
async function play(game: TestServer, name: string): Promise<void> {
  const client = game.client();
  const ada = await client.create(name);
  const { roomId } = ada;
  const refused = [
    () => client.joinById(roomId, { ticket: "forged" }),
    () => client.joinById(roomId, { bad: "throws" }),
    () => client.joinById(roomId, { bad: "refuses" }),
    () => client.joinById("nowhere"),
    () => client.joinOrCreate("nowhere"),
    () => client.join(name, { rank: 1 }),
    () => client.reconnect(`${roomId}:stolen`),
  ];
  for (const attempt of refused) {
    await attempt().then(
      (room) => room.leave(),
      () => {},
    );
  }
  const bob = await client.joinById(roomId);
  await client.joinById(roomId).catch(() => {});
  returnAtOnce(bob);
  const back = new Promise<void>((resolve) => bob.onReconnect(resolve));
  await drop(bob);
  await back;
  const kicked = new Promise((resolve) => bob.onLeave(resolve));
  roomOf(roomId).kickClient(bob.sessionId, 4321);
  await kicked;
  await (await client.joinById(roomId)).leave();
  ada.reconnection.enabled = false;
  await drop(ada);
  await until("the disposal", () => !roomOf(roomId));
}

async function queue(game: TestServer): Promise<void> {
  const room = await game.client().create("queue", { matchRoomName: "arena" });
  await room.leave();
  await until("the disposal", () => !roomOf(room.roomId));
}
