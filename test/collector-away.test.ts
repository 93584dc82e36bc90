import { Room } from "@colyseus/core";
import type { Client } from "@colyseus/sdk";
import { afterEach, expect, test, vi } from "vitest";
import { startTelemetry } from "colyseus-otel/sdk";
import { announcedTelemetry } from "../src/telling/announcement.ts";
import { startCollector, type Collector, type TakenRequest } from "./_collector.ts";
import { GLOBAL_PROVIDERS, startServer, until } from "./_server.ts";

const OUTAGE_MS = 30_000;
const JOINS_A_SECOND = 200;
/** Sockets open at once. */
const PLAYERS = 8;

class ArenaRoom extends Room {
  override autoDispose = false;
  override onJoin() {}
  override onLeave() {}
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** Real players who join and leave, 200 a second, until the returned function is called; it says how many did. */
function play(client: Client, roomId: string): () => Promise<number> {
  const began = performance.now();
  const stopping = new AbortController();
  let begun = 0;
  const player = async () => {
    while (!stopping.signal.aborted) {
      const due = began + (begun * 1000) / JOINS_A_SECOND;
      begun += 1;
      await new Promise((next) => setTimeout(next, Math.max(0, due - performance.now())));
      await (await client.joinById(roomId)).leave();
    }
  };
  const players = Promise.all(Array.from({ length: PLAYERS }, player));
  return async () => {
    stopping.abort();
    await players;
    return begun;
  };
}

/** Joins and leaves while the collector is away for 30 s, and until it has all of them. */
async function playThrough(collector: Collector, away: () => Promise<void>): Promise<number> {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint);
  await using _sdk = startTelemetry({ load: "now" });
  await using server = await startServer({ arena: ArenaRoom }, {}, undefined, GLOBAL_PROVIDERS);
  const keeper = await server.client().create("arena");
  const stop = play(server.client(), keeper.roomId);
  await until("the first joins", () => joinsIn(collector.requests()).length > 0, 10_000);
  await away();
  const joins = (await stop()) + 1;
  await until(`${joins} joins at the collector`, () => new Set(joinsIn(collector.requests())).size >= joins, 60_000);
  await announcedTelemetry()!.flush(5000);
  return joins;
}

function joinsIn(requests: readonly TakenRequest[]): string[] {
  return requests.flat().flatMap(([name, id]) => (name === "room.join arena" ? [id] : []));
}

test("a collector that is killed and back after 30 s under 200 joins a second has every span once", async () => {
  await using collector = await startCollector();
  const joins = await playThrough(collector, async () => {
    await collector.kill();
    await new Promise((next) => setTimeout(next, OUTAGE_MS));
    await collector.restart();
  });
  const requests = collector.requests();
  const ids = requests.flat().map(([, id]) => id);
  expect(joins).toBeGreaterThan((OUTAGE_MS / 1000) * JOINS_A_SECOND * 0.8);
  expect(new Set(joinsIn(requests)).size).toBe(joins);
  expect(ids.length - new Set(ids).size).toBe(0);
}, 150_000);

test("a collector that is frozen for 30 s gets every span; twice only what had timed out, with the same ids", async () => {
  await using collector = await startCollector();
  const joins = await playThrough(collector, async () => {
    collector.freeze();
    await new Promise((next) => setTimeout(next, OUTAGE_MS));
    collector.thaw();
  });
  const requests = collector.requests();
  expect(new Set(joinsIn(requests)).size).toBe(joins);
  const texts = requests.map((request) => JSON.stringify(request));
  const again = texts.length - new Set(texts).size;
  // Time-out of an export is 10 s.
  expect(again).toBeLessThanOrEqual(OUTAGE_MS / 10_000 + 1);
  const once = [...new Set(texts)].flatMap((text) => (JSON.parse(text) as TakenRequest).map(([, id]) => id));
  expect(once.length).toBe(new Set(once).size);
}, 150_000);
