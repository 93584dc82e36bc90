import type { Closing, Curve, PartContext, PartResult } from "../part.ts";
import { bareOf, type Round } from "../bar.ts";
import { settled, startServer, startServers, withExport, type Cpu, type Measured } from "../server.ts";
import { estimate, shuffled } from "../statistics.ts";
import { here, type VariantName } from "../variants.ts";
import type { Memory } from "./heap.ts";
import { SETTLE_MS } from "./micro.ts";
import type { Stall } from "./stall.ts";

const COMPARED: readonly VariantName[] = ["bare", "again", "ours"];
/** The room of apps/arena.mjs is full with them. */
const ROOM = 100;
const AWAY_PER_SECOND = 200;

/** No bars: how each cost grows. */
export async function measureGrowth(context: PartContext): Promise<PartResult> {
  const joins = await measureJoins(context);
  const closing = await closeFullRoom(context);
  return { curves: [...joins, ...(await stayAway(context))], closing: [closing] };
}

async function measureJoins({ stage, plan: { growth: plan, micro }, say }: PartContext): Promise<Curve[]> {
  await using stack = new AsyncDisposableStack();
  const servers = await startServers(stack, stage, COMPARED);
  await Promise.all(servers.map((server) => server.ask("joins", { joins: micro.warmUp, concurrency: 8 })));
  const byConcurrency = new Map(plan.concurrency.map((concurrency) => [concurrency, [] as Round[]]));
  for (let block = 0; block < plan.blocks; block += 1) {
    // In random order: one after the other, what V8 still learns would pass for an effect of the crowd.
    for (const [concurrency, rounds] of shuffled([...byConcurrency])) {
      rounds.push(await joinBlock(servers, plan.joins, { concurrency }));
    }
  }
  const byRooms = new Map<number, Round[]>();
  for (const rooms of plan.rooms) {
    await Promise.all(servers.map((server) => server.ask("rooms", { rooms, options: { still: true } })));
    const blocks: Round[] = [];
    while (blocks.length < plan.blocks) {
      blocks.push(await joinBlock(servers, plan.joins, { concurrency: 8, method: "joinById" }));
    }
    byRooms.set(rooms, blocks);
  }
  const curve = (name: string, x: string, blocks: ReadonlyMap<number, readonly Round[]>): Curve => {
    const points = [...blocks].map(([at, rounds]) => ({
      x: at,
      y: { ours: addedIn(rounds, "ours"), noise: addedIn(rounds, "again") },
    }));
    say(`growth, us added by ${x}: ${points.map(({ x: at, y }) => `${at}: ${y.ours}`).join(", ")}`);
    return { name, title: "Added per join + leave", x, unit: "us", points };
  };
  return [curve("joins-concurrency", "players at a time", byConcurrency), curve("joins-rooms", "rooms", byRooms)];
}

function addedIn(rounds: readonly Round[], name: string): number {
  return Math.round(estimate(rounds.map((round) => round[name]! - bareOf(round))).median * 10) / 10;
}

/** Microseconds a join and leave, without sockets. */
async function joinBlock(servers: readonly Measured[], joins: number, wanted: object): Promise<Round> {
  const took: Record<string, number> = {};
  for (const server of shuffled(servers)) {
    const play = () => server.ask<Cpu>("joins", { ...wanted, joins, settle: SETTLE_MS });
    took[server.name] = (await withExport(server, joins, play)).process / joins;
  }
  return took;
}

/** Everybody's last spans at once: all must arrive. */
async function closeFullRoom({ stage, say }: PartContext): Promise<Closing> {
  await using server = await startServer(stage, "ours", { flags: ["--import", here("apps/stalls.mjs")] });
  const ended = async () => {
    const spans = await server.spans();
    return ["room.on_leave arena", "session.phase.in_game"]
      .map((name) => spans[name] ?? 0)
      .reduce((sum, one) => sum + one);
  };
  await server.ask("fill", { players: ROOM });
  await settled(server);
  const before = await ended();
  await server.ask("forgetStalls");
  await server.ask("closeRoom");
  await settled(server);
  const { gap } = await server.ask<Stall>("longestStall", { since: "0" });
  const closing = {
    players: ROOM,
    expected: 2 * ROOM,
    arrived: (await ended()) - before,
    stall: Math.round(gap * 10) / 10,
  };
  say(
    `growth, a room of ${ROOM} closes: ${closing.arrived} of ${closing.expected} last spans, stall ${closing.stall} ms`,
  );
  if (closing.arrived !== closing.expected) throw new Error("spans were lost when a full room closed");
  return closing;
}

/** Memory while 200 players a second come and go and nobody takes their spans. */
async function stayAway({ stage, plan: { growth: plan }, say }: PartContext): Promise<Curve[]> {
  await using stack = new AsyncDisposableStack();
  // Port 9 is discard, and nobody listens there.
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" };
  const servers = await startServers(stack, stage, ["ours", "by-hand"], { env });
  const points: { seconds: number; held: Memory[] }[] = [];
  let at = 0;
  for (const seconds of plan.awaySeconds) {
    const joins = (seconds - at) * AWAY_PER_SECOND;
    at = seconds;
    await Promise.all(servers.map((server) => server.ask("joins", { joins, perSecond: AWAY_PER_SECOND })));
    const held = await Promise.all(servers.map((server) => server.ask<Memory>("heap")));
    points.push({ seconds, held });
    say(`growth, collector away ${seconds} s: ours ${mebibytes(held[0]!.heap + held[0]!.external)} MiB of heap`);
  }
  const curve = (name: string, title: string, of: (memory: Memory) => number): Curve => ({
    name,
    title,
    x: "seconds without a collector",
    unit: "MiB",
    points: points.map(({ seconds, held }) => ({
      x: seconds,
      y: Object.fromEntries(servers.map(({ name }, index) => [name, mebibytes(of(held[index]!))])),
    })),
  });
  return [
    curve("away-heap", "Heap at 200 joins a second", ({ heap, external }) => heap + external),
    curve("away-rss", "Resident memory at 200 joins a second", ({ rss }) => rss),
  ];
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 102.4) / 10;
}
