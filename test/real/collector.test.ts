import { Client } from "@colyseus/sdk";
import { beforeAll, test, vi } from "vitest";
import { prometheusName } from "../../scripts/reference.ts";
import { METRICS, type MetricConvention } from "../../src/conventions.ts";
import { startApp, type App, type AppOptions } from "../_app.ts";
import { until } from "../_server.ts";
import { withCollector, type RealCollector } from "./_collector.ts";
import { playedTree } from "./_received.ts";

/** Over the 10 s of deploy/collector.yaml. */
const SLOW_BOOT = 10_500;

// Colyseus' SDK says each failed join.
beforeAll(() => void vi.spyOn(console, "warn").mockReturnValue());

function start({ endpoint }: RealCollector, name: string, options: AppOptions = {}): App {
  return startApp(options, {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_SERVICE_NAME: name,
    OTEL_METRICS_EXPORTER: "prometheus,otlp",
    OTEL_METRIC_EXPORT_INTERVAL: "1000",
  });
}

async function clientOf(game: App): Promise<Client> {
  const { port } = await game.message("app:listening", 30_000);
  return new Client(`http://127.0.0.1:${port}`);
}

async function play(client: Client): Promise<void> {
  await (await client.joinOrCreate("arena")).leave();
}

/** A player who runs into a bug: an error. */
async function fail(client: Client): Promise<void> {
  const joined = await client.joinOrCreate("arena", { bug: true }).then(
    () => true,
    () => false,
  );
  if (joined) {
    throw new Error("the bug is gone");
  }
}

const joins = ({ backend }: RealCollector) => backend.spans.filter(({ name }) => name === "room.join arena");
/** Spans that came again: what timed out on its way, which OTLP sends twice. */
const repeated = ({ backend }: RealCollector) =>
  backend.spans.length - new Set(backend.spans.map(({ spanId }) => spanId)).size;
const accepted = async (collector: RealCollector) => collector.figure("receiver_accepted_spans");
const undecided = async (collector: RealCollector) =>
  (await collector.figure("processor_tail_sampling_new_trace_id_received")) -
  (await decided(collector, true)) -
  (await decided(collector, false));
const decided = async (collector: RealCollector, sampled: boolean) =>
  collector.figure("processor_tail_sampling_global_count_traces_sampled", `sampled="${sampled}"`);

test.concurrent("errors and slow boots come through whole, what went well does not, and all metrics do", async ({
  expect,
}) => {
  await withCollector(async (collector) => {
    const { backend } = collector;
    await using slow = start(collector, "slow", { beforeListen: SLOW_BOOT });
    await using fast = start(collector, "fast");
    const client = await clientOf(fast);
    await play(client);
    await fail(client);
    await slow.message("app:ready", 30_000);
    await collector.until("the slow boot", () => backend.spans.some(({ name }) => name === "gameserver.boot"));
    await collector.until("the failed join", () => joins(collector).length > 0);
    await collector.until("decisions on all traces", async () => (await undecided(collector)) === 0);
    const kept = new Set(backend.spans.map(({ traceId }) => traceId));
    expect([kept.size, await decided(collector, true)]).toEqual([2, 2]);
    // The fast boot, the player for whom all went well, and each disposal of a room.
    expect(await decided(collector, false)).toBeGreaterThan(2);
    expect(playedTree(backend.spans)).toMatchInlineSnapshot(`
      "fast: matchmake arena
        fast: session.started
          fast: session.lifecycle
          fast: room.on_leave arena  ~> fast: room.join arena
        fast: room.join arena  ERROR  error.type=hook_error
          fast: room.on_join arena  ERROR  error.type=hook_error
      <outside>
        slow: read tiles"
    `);
    const boots = backend.spans.filter(({ name }) => name.startsWith("gameserver."));
    expect(new Set(boots.map(({ resource }) => resource["service.name"]))).toEqual(new Set(["slow"]));
    expect(boots.map(({ name }) => name).toSorted()).toMatchInlineSnapshot(`
      [
        "gameserver.boot",
        "gameserver.boot.listen",
        "gameserver.boot.load",
        "gameserver.boot.phase",
        "gameserver.boot.prepare",
        "gameserver.map_load",
      ]
    `);
    const { endpoints } = await fast.message("app:ready");
    const exposition = await (await fetch(`http://127.0.0.1:${endpoints?.port}/metrics`)).text();
    const told = Object.values<MetricConvention>(METRICS).filter((metric) =>
      exposition.includes(`# TYPE ${prometheusName(metric)} `),
    );
    const arrived = () =>
      new Set(backend.metrics.filter(({ resource }) => resource["service.name"] === "fast").map(({ name }) => name));
    expect(told.length).toBeGreaterThan(10);
    await collector.until("all metrics", () => told.every(({ name }) => arrived().has(name)));
  });
});

test.concurrent("a Collector that is killed and misses players has every span once when it is back", async ({
  expect,
}) => {
  await withCollector(async (collector) => {
    await using game = start(collector, "game");
    const client = await clientOf(game);
    await fail(client);
    // Past its decision: what waits for one dies with the Collector.
    await collector.until("the first player", () => joins(collector).length === 1);
    await collector.end("SIGKILL");
    await fail(client);
    await fail(client);
    await until("the failing export", () => game.output().includes("could not be sent"), 30_000);
    await collector.restart();
    await collector.until("all three players", () => joins(collector).length === 3);
    expect(new Set(joins(collector).map(({ traceId }) => traceId)).size).toBe(3);
    expect(repeated(collector)).toBe(0);
  });
});

test.concurrent("a Collector that hangs for a while gets what was played meanwhile, once", async ({ expect }) => {
  await withCollector(async (collector) => {
    await using game = start(collector, "game");
    const client = await clientOf(game);
    await fail(client);
    await collector.until("the first spans", async () => (await accepted(collector)) > 0);
    collector.freeze();
    await fail(client);
    // Less than the time-out of an export, 10 s.
    await until("two batches", elapsed(3000));
    collector.thaw();
    await collector.until("both players", () => joins(collector).length === 2);
    expect(repeated(collector)).toBe(0);
  });
});

test.concurrent("a Collector that is told to end decides at once, and sends what it keeps", async ({ expect }) => {
  await withCollector(async (collector) => {
    await using game = start(collector, "game");
    await fail(await clientOf(game));
    // It has sent all when it ends.
    game.child.kill("SIGTERM");
    expect(await game.exit()).toBe(0);
    expect(joins(collector)).toEqual([]);
    await collector.end("SIGTERM");
    await collector.until("the player", () => joins(collector).length === 1);
  });
});

function elapsed(ms: number): () => boolean {
  const began = performance.now();
  return () => performance.now() - began > ms;
}
