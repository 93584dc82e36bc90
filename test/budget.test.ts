import { matchMaker, QueueRoom, Room, Server } from "@colyseus/core";
import { WebSocketClient, WebSocketTransport } from "@colyseus/ws-transport";
import { fork } from "node:child_process";
import { once } from "node:events";
import { beforeAll, expect, test } from "vitest";
import { instrument } from "colyseus-otel";
import { startReceiver } from "../demo/receiver/receiver.ts";
import { startSidecar } from "../standins/agones-sidecar.ts";
import type { Costs } from "./apps/budget.ts";
import { app, watchingLoads } from "./_register.ts";

/** What everything on may cost over bare Colyseus, as far as it can be counted; speed itself is for `npm run bench`. */
const BUDGET = {
  /** Files loaded until Ready, by package: nothing of an SDK, an exporter or protobuf. */
  modules: {
    "colyseus-otel": 4,
    "@opentelemetry/api": 51,
    "@opentelemetry/context-async-hooks": 2,
    "@grpc/grpc-js": 65,
    "@js-sdsl/ordered-map": 1,
  },
  /** Functions replaced, and listeners of the room type. */
  functions: {
    "matchMaker.controller": 1,
    "Room.prototype": 9,
    server: 2,
    transport: 1,
    ArenaRoom: 1,
    "ArenaRoom.prototype": 6,
    presence: 3,
    driver: 1,
    "listeners of arena": 4,
  },
  /** One join and leave. The bytes are 20,300 in Node 24.21, and differ by less than 100 from run to run. */
  join: { promises: 6, bytes: 22_000 },
  spans: {
    "matchmake arena": 1,
    "room.auth arena": 1,
    "room.join arena": 1,
    "room.on_join arena": 1,
    "room.on_leave arena": 1,
    "session.started": 1,
    "session.phase.in_game": 1,
    "session.lifecycle": 1,
  },
  records: {
    "colyseus.trace_context": 2,
    "colyseus.matchmake.duration": 1,
    "colyseus.seat.wait.duration": 1,
    "colyseus.join.duration": 1,
    "colyseus.joins": 1,
    "colyseus.seat.reservations": 1,
    "colyseus.client.duration": 1,
    "game.session.phase.duration": 1,
    "game.session.duration": 1,
    "game.session.matches": 1,
    "game.session.ends": 1,
  },
} as const;

let bare: Costs;
let traced: Costs;
let spans: Readonly<Record<string, number>>;

beforeAll(async () => {
  await using receiver = await startReceiver();
  [bare, traced] = [await costs("bare", receiver.endpoint), await costs("traced", receiver.endpoint)];
  spans = tally(receiver.spans.map(({ name }) => name));
}, 60_000);

test("until Ready only these packages are loaded, and so many files of them", () => {
  const known = new Set(bare.modules);
  const ours = new Set(traced.modules.filter((url) => !known.has(url) && !url.startsWith("node:")));
  const packageOf = (url: string) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? "colyseus-otel";
  expect(over(tally([...ours].map(packageOf)), BUDGET.modules)).toEqual([]);
});

test("a join and leave makes no more promises and bytes", () => {
  const { promises, bytes } = traced;
  expect(over({ promises: promises - bare.promises, bytes: bytes - bare.bytes }, BUDGET.join)).toEqual([]);
});

test("a join and leave is told in these spans and records, and no other", () => {
  const players = spans["session.started"]!;
  const played = Object.entries(spans).filter(([name]) => !/^(gameserver|agones)\./.test(name));
  expect(Object.fromEntries(played.map(([name, count]) => [name, count / players]))).toEqual(BUDGET.spans);
  const records = Object.entries(traced.records).map(([name, count]) => [name, count / traced.joins]);
  expect(Object.fromEntries(records)).toEqual(BUDGET.records);
});

class ArenaRoom extends Room {
  static override async onAuth() {
    return true;
  }
  override onCreate() {}
  override onJoin() {}
  override onDrop() {}
  override onReconnect() {}
  override onLeave() {}
  override onDispose() {}
}

test("so many functions are ours, and shutdown() puts the very same ones back", async () => {
  const transport = new WebSocketTransport({});
  const server = new Server({ greet: false, gracefullyShutdown: false, transport });
  const handler = server.define("arena", ArenaRoom);
  await matchMaker.onReady;
  const { controller, presence, driver } = matchMaker;
  const hosts = { server, transport, handler, matchMaker, "matchMaker.controller": controller, presence, driver };
  const classes = { Server, Room, QueueRoom, ArenaRoom, WebSocketTransport, WebSocketClient };
  const before = functionsOf(hosts, classes);
  const changed = () => [...functionsOf(hosts, classes)].filter(([path, one]) => before.get(path) !== one);
  const listeners = () => handler.eventNames().reduce((sum, event) => sum + handler.listenerCount(event), 0);
  const heard = listeners();
  await using telemetry = instrument(server, { endpoints: false });
  await server.listen(0, "127.0.0.1");
  const replaced = tally(changed().map(([path]) => path.replace(/ .*/, "")));
  expect(over({ ...replaced, "listeners of arena": listeners() - heard }, BUDGET.functions)).toEqual([]);
  await telemetry.shutdown();
  expect(changed()).toEqual([]);
  expect(listeners()).toBe(heard);
  await server.gracefullyShutdown(false);
  server.removeRoomType("arena");
});

/** Bare, or with everything on: what the server in a process of its own has counted. */
async function costs(variant: "bare" | "traced", endpoint: string): Promise<Costs> {
  await using sidecar = await startSidecar();
  const child = fork(app("budget.ts"), [variant], {
    // What V8 compiles beside the game it compiles at another moment in each run, and then the bytes differ.
    execArgv: ["--single-threaded"],
    env: {
      ...process.env,
      ...watchingLoads("loaded.push(url)"),
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      AGONES_SDK_GRPC_PORT: String(sidecar.port),
    },
  });
  let told: Costs | undefined;
  // @pm2/io sends messages of its own on this channel.
  child.on("message", (message: Costs) => (told = message.type === "app:costs" ? message : told));
  await once(child, "close");
  expect(told, variant).toBeDefined();
  return told!;
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** What is over its budget, and by how much. What has none may not be. */
function over(spent: Readonly<Record<string, number>>, budget: Readonly<Record<string, number>>): string[] {
  return Object.entries(spent)
    .map(([name, count]) => ({ name, count, more: count - (budget[name] ?? 0) }))
    .filter(({ more }) => more > 0)
    .map(({ name, count, more }) => `${name}: ${count}, ${more} over`);
}

/** Own functions of these objects, and of the prototypes of these classes, by "owner key". */
function functionsOf(
  hosts: Readonly<Record<string, object>>,
  classes: Readonly<Record<string, { prototype: object }>>,
) {
  const prototypes = Object.entries(classes).map(([name, { prototype }]) => [`${name}.prototype`, prototype] as const);
  const owners = [...Object.entries(hosts), ...Object.entries(classes), ...prototypes];
  const all = owners.flatMap(([owner, object]) =>
    Reflect.ownKeys(object).map(
      (key) => [`${owner} ${String(key)}`, Object.getOwnPropertyDescriptor(object, key)?.value as unknown] as const,
    ),
  );
  return new Map(all.filter(([, value]) => typeof value === "function"));
}
