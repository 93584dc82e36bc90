import { Room } from "@colyseus/core";
import fc from "fast-check";
import { setTimeout as wait } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test, vi } from "vitest";
import { agones } from "colyseus-otel/agones";
import { startSidecarProcess, type SidecarProcess } from "../standins/sidecar-process.ts";
import { startServer, until, type TestServer } from "./_server.ts";
import { over } from "./_sidecars.ts";

const OUTAGES = 20;
/** What is measured first is what the first outages have left behind. */
const WARM = 5;
const PERIOD_SECONDS = 3;
const TRACE = "0af7651916cd43dd8448eb211c80319c";

interface Outage {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

interface Left {
  readonly sockets: number;
  readonly heap: number;
}

class Arena extends Room {}

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

const round = fc.record({
  /** Milliseconds that all is well before the kill, and that the sidecar is gone. */
  well: fc.integer({ min: 0, max: 400 }),
  down: fc.integer({ min: 0, max: 700 }),
  /** Allocations: seen before the kill, in its very moment, while it is down, when it has just come back. */
  before: fc.integer({ min: 0, max: 2 }),
  atTheKill: fc.integer({ min: 0, max: 1 }),
  during: fc.integer({ min: 0, max: 2 }),
  after: fc.integer({ min: 0, max: 1 }),
});

describe.each(["grpc", "http"] as const)("over %s", (way) => {
  test(`a sidecar killed outright and restarted ${OUTAGES} times costs no ping, no allocation and no memory`, async () => {
    const seed = Number(process.env["SEED"] ?? Date.now() % 1e9);
    console.info(`seed ${seed}`);
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    using faults = faultsOfTheProcess();
    await using sidecar = await startSidecarProcess({ readyDelay: 10, health: { periodSeconds: PERIOD_SECONDS } });
    const orchestrator = agones({ ...over(way, sidecar), onAllocated: () => {} });
    await using game = await startServer({ arena: Arena }, { orchestrator, endpoints: { port: 0 } });
    await game.telemetry.ready;

    const match = matches(game, sidecar);
    const outages: Outage[] = [];
    let warm: Left | undefined;
    for (const { well, down, before, atTheKill, during, after } of fc.sample(round, { seed, numRuns: OUTAGES })) {
      await match.make(before);
      await match.allSeen();
      await wait(well);
      const caught = match.make(atTheKill);
      const from = epoch();
      await sidecar.kill();
      await Promise.all([caught, match.make(during), wait(down)]);
      await sidecar.start();
      outages.push({ from, to: epoch() });
      await match.make(after);
      await match.newestSeen();
      await isServing(game);
      warm ??= outages.length === WARM ? whatIsLeft() : undefined;
    }

    expect(gapsBeyond(PERIOD_SECONDS * 1000, sidecar.pings, outages)).toEqual([]);
    const told = match.told();
    expect(new Set(told).size).toBe(told.length);
    expect(match.made()).toEqual(expect.arrayContaining(told));
    expect(told).toEqual(expect.arrayContaining(match.visible()));
    const lines = warned.mock.calls.map(([line]) => String(line));
    expect(lines.filter((line) => !/the Agones sidecar at localhost:\d+ \(\w+\) is away/.test(line))).toEqual([]);
    expect(lines).toHaveLength(OUTAGES);
    expect(faults.seen).toEqual([]);
    const left = whatIsLeft();
    expect(left.sockets - warm!.sockets).toBeLessThanOrEqual(3);
    expect(left.heap - warm!.heap).toBeLessThan(8_000_000);
    console.info(
      `${told.length} of ${match.made().length} allocations were visible, heap ${left.heap - warm!.heap} B and ` +
        `${left.sockets - warm!.sockets} sockets more after ${OUTAGES - WARM} outages`,
    );
    vi.restoreAllMocks();
  }, 120_000);
});

/** Allocations, each with a context of its own by which its span is known. */
function matches({ recorded }: TestServer, sidecar: SidecarProcess) {
  const made: string[] = [];
  const visible: string[] = [];
  const told = () => recorded.named("gameserver.allocated").map((span) => span.parentSpanContext?.spanId ?? "none");
  async function make(count: number): Promise<void> {
    for (let one = 0; one < count; one += 1) {
      const spanId = (made.length + 1).toString(16).padStart(16, "a");
      made.push(spanId);
      await sidecar.allocate({ annotations: { traceparent: `00-${TRACE}-${spanId}-01` } });
    }
  }
  return {
    make,
    made: () => made,
    told,
    /** Those that nothing came after while nobody could look. */
    visible: () => visible,
    async newestSeen() {
      const newest = made.slice(-1);
      visible.push(...newest);
      await until("the newest allocation", () => newest.every((one) => told().includes(one)), 20_000);
    },
    /** While the watch is whole no allocation hides another one. */
    async allSeen() {
      const known = made.indexOf(visible.at(-1) ?? "");
      visible.push(...made.slice(known + 1));
      await until("all allocations", () => visible.every((one) => told().includes(one)), 20_000);
    },
  };
}

/** From one ping to the next there is no more than the time in which there was no sidecar, and one period. */
function gapsBeyond(period: number, pings: readonly number[], outages: readonly Outage[]): object[] {
  return pings.slice(1).flatMap((next, index) => {
    const last = pings[index]!;
    const down = outages
      .map(({ from, to }) => Math.max(0, Math.min(to, next) - Math.max(from, last)))
      .reduce((sum, one) => sum + one, 0);
    return next - last > down + period ? [{ last, next, down }] : [];
  });
}

async function isServing({ telemetry }: TestServer): Promise<void> {
  const { host, port } = telemetry.endpoints!;
  await until("/readyz", async () => (await fetch(`http://${host}:${port}/readyz`)).status === 200, 20_000);
}

function faultsOfTheProcess() {
  const seen: string[] = [];
  const note = (error: unknown) => void seen.push(String(error));
  const events = ["warning", "unhandledRejection", "uncaughtExceptionMonitor"] as const;
  events.forEach((event) => process.on(event, note));
  return { seen, [Symbol.dispose]: () => events.forEach((event) => void process.off(event, note)) };
}

function whatIsLeft(): Left {
  gc();
  const sockets = process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP")).length;
  return { sockets, heap: process.memoryUsage().heapUsed };
}

function epoch(): number {
  return performance.timeOrigin + performance.now();
}
