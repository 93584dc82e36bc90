// A game server, "bare" or "traced", that counts: modules until Ready, then what each join and leave takes.
import { createAuthContext, defineRoom, defineServer, matchMaker, Room, type Client } from "@colyseus/core";
import { WebSocketClient } from "@colyseus/ws-transport";
import { EventEmitter, once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { getHeapStatistics, promiseHooks } from "node:v8";
import type { Telemetry } from "../../src/index.ts";
import { announcedTelemetry, type AnnouncedTelemetry } from "../../src/telling/announcement.ts";

/** What it tells its parent. */
export interface Costs {
  readonly type: "app:costs";
  /** URLs, by a hook that was there before this file. */
  readonly modules: readonly string[];
  /** Promises of one join and leave. */
  readonly promises: number;
  /** What it allocates. */
  readonly bytes: number;
  /** By metric, of so many joins and leaves. */
  readonly records: Readonly<Record<string, number>>;
  readonly joins: number;
}

/** The hook's list. */
declare const loaded: string[];

/** So many that V8 has compiled what it will when the last series begins. */
const JOINS = 600;
/** Protocol.JOIN_ROOM and LEAVE_ROOM, as the SDK sends them. */
const [JOINED, LEAVE] = [Buffer.from([10]), Buffer.from([12])];

class Arena extends Room {
  override autoDispose = false;
  override patchRate = null;
  static override async onAuth() {
    return { name: "ada" };
  }
  override async onJoin() {}
  override async onLeave() {}
}

class Socket extends EventEmitter {
  readonly readyState = 1;
  send(): void {}
  close(code: number): void {
    this.emit("close", code);
  }
}

const server = defineServer({ rooms: { arena: defineRoom(Arena) }, greet: false });
let atReady: readonly string[] | undefined;
const records: Record<string, number> = {};
const telemetry = process.argv[2] === "traced" ? await traced() : undefined;
await server.listen(0, "127.0.0.1");
await telemetry?.ready;
const modules = atReady ?? [...loaded];
await announcedTelemetry()?.load(true);

await matchMaker.createRoom("arena", {});
const before = { ...records };
let created = 0;
const unhook = promiseHooks.onInit(() => (created += 1)) as () => void;
const promises = await medianOf(() => created);
unhook();
const after = Object.entries(records).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
await medianOf(() => 0);
const bytes = await medianOf(() => getHeapStatistics().used_heap_size);
await announcedTelemetry()?.flush(10_000);
const costs: Costs = {
  type: "app:costs",
  modules,
  promises,
  bytes,
  records: Object.fromEntries(after.filter(([, count]) => count > 0)),
  joins: JOINS,
};
process.send!(costs, () => process.exit());

/** Everything on, as a user gets it. */
async function traced(): Promise<Telemetry> {
  const [{ instrument }, { agones }, { startTelemetry }] = await Promise.all([
    import("colyseus-otel"),
    import("colyseus-otel/agones"),
    import("colyseus-otel/sdk"),
  ]);
  startTelemetry();
  countRecords(announcedTelemetry()!);
  return instrument(server, { orchestrator: agones(), endpoints: { port: 0 } });
}

function countRecords({ metering }: AnnouncedTelemetry): void {
  const { record } = metering;
  const counting: typeof record = (metric, value, ...labels) => {
    records[metric.name] = (records[metric.name] ?? 0) + 1;
    // The boot ends as Ready is seen, and in the same turn the SDK begins to load.
    if (metric.name === "gameserver.boot.duration" && labels[0] === "total") {
      atReady = [...loaded];
    }
    record(metric, value, ...labels);
  };
  Object.assign(metering, { record: counting });
}

/** The median, as a timer of the game's or a garbage collection may come between. */
async function medianOf(meter: () => number): Promise<number> {
  const each = new Float64Array(JOINS);
  for (let join = 0; join < JOINS; join += 1) {
    const start = meter();
    await joinAndLeave();
    each[join] = meter() - start;
  }
  return each.sort()[JOINS / 2]!;
}

/** The way of a player through Colyseus' own matchmaking, client class and hooks, without a socket. */
async function joinAndLeave(): Promise<void> {
  const auth = createAuthContext({ headers: new Headers() });
  const seat = await matchMaker.controller.invokeMethod("joinOrCreate", "arena", {}, auth);
  const room = matchMaker.getLocalRoomById(seat.roomId) as unknown as {
    _onJoin(client: Client, auth: unknown, options: unknown): Promise<void>;
  };
  const socket = new Socket();
  await room._onJoin(new WebSocketClient(seat.sessionId, socket as never), auth, {});
  socket.emit("message", JOINED);
  const left = once(matchMaker.getHandler("arena"), "leave");
  socket.emit("message", LEAVE);
  await left;
  await turn();
}
