import { readFile } from "node:fs/promises";
import { QueueRoom, Room, ServerError, type Client } from "@colyseus/core";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { bootPhase, mapLoad, sessionOf } from "colyseus-otel";
import { agones } from "colyseus-otel/agones";
import { agones as provisioning, allocate, startSession } from "colyseus-otel/backend";
import { beforeAll, describe, expect, test, vi } from "vitest";
import {
  ATTRIBUTES,
  ERROR_TYPES,
  EVENTS,
  LABELS,
  METRICS,
  SCOPE,
  SPANS,
  SUMMARIES,
  type MetricConvention,
} from "../src/conventions.ts";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { startAllocationService } from "../standins/allocation-service.ts";
import { startFleet, type FleetOptions } from "./_gamelift.ts";
import { startGameLiftFleet } from "./_gamelift-api.ts";
import { dropAndReturn, startServer, until } from "./_server.ts";
import { recordTelemetry, type RecordingTelemetry } from "./_telemetry.ts";

const spans = Object.values(SPANS);
const attributes = Object.values(ATTRIBUTES);
const events = Object.values(EVENTS);
const metrics = Object.values<MetricConvention>(METRICS);

test("the scope's version is the package's", async () => {
  const { name, version } = JSON.parse(await readFile("package.json", "utf8")) as Record<string, string>;
  expect(SCOPE).toEqual({ name, version });
});

test("names are lower case, dotted, and stand for one thing", () => {
  const names = { spans: spans.map(({ name }) => name), metrics: metrics.map(({ name }) => name) };
  const keys = attributes.map(({ key }) => key);
  for (const list of [names.spans, names.metrics, keys, Object.values(ERROR_TYPES), Object.values(LABELS)]) {
    expect(new Set(list).size).toBe(list.length);
  }
  const dotted = /^[a-z]+(_[a-z]+)*(\.[a-z]+\d*(_[a-z]+)*)+$/;
  const undotted = (list: readonly string[]) => list.filter((name) => !dotted.test(name));
  // The seed documents call them so.
  expect(undotted([...names.metrics, ...keys])).toEqual([
    "region",
    "required_players",
    "state",
    "max_players",
    "status",
  ]);
  expect(undotted(names.spans)).toEqual(["matchmake"]);
});

test("every name has a line of doc without a full stop", () => {
  for (const { doc } of [...spans, ...attributes, ...events, ...metrics]) {
    expect(doc).toMatch(/^\S.*\S$/);
    expect(doc).not.toMatch(/[^.]\.$|\n/);
  }
});

test("histograms have ascending buckets, and nothing else has any", () => {
  for (const { kind, buckets, unit } of metrics) {
    expect(buckets !== undefined).toBe(kind === "histogram");
    expect(buckets ?? []).toEqual([...new Set(buckets)].toSorted((a, b) => a - b));
    const duration = kind === "histogram" || kind === "observable gauge";
    expect(unit).toMatch(duration ? /^(s|\{[a-z]+\})$/ : /^(1|By|\{[a-z]+\})$/);
  }
});

test("labels are of the table, and none of them is an id", () => {
  const known: readonly string[] = Object.values(LABELS);
  expect(metrics.flatMap(({ labels }) => labels).filter((label) => !known.includes(label))).toEqual([]);
  expect(known.filter((label) => /(^|[._])id$/.test(label))).toEqual([]);
});

describe("a story with everything in it", () => {
  // Of the resource: the SDK's story (sdk.test.ts) has them.
  const OF_THE_RESOURCE = attributes.filter(({ doc }) => doc.endsWith("(resource)")).map(({ key }) => key);
  let told: ReadableSpan[];
  let measured: Record<string, string[]>;

  beforeAll(async () => {
    ({ spans: told, labels: measured } = await playStory());
  });

  test("has every span of the table, and no other", () => {
    const names = told.map(({ name }) => name.replace(/ (arena|lobby)$/, ""));
    expect(sorted(names)).toEqual(sorted(spans.map(({ name }) => name)));
  });

  test("has spans of the kinds in the table, in the scope of the package", () => {
    for (const { name, kind, instrumentationScope } of told) {
      const convention = spans.find((span) => span.name === name.replace(/ (arena|lobby)$/, ""));
      expect([name, kind]).toEqual([name, convention?.kind]);
      expect(instrumentationScope).toMatchObject(SCOPE);
    }
  });

  test("has every attribute of the table but those of the resource, and no other", () => {
    const onLinks = told.flatMap(({ links }) => links.map((link) => link.attributes ?? {}));
    const onEvents = told.flatMap((span) => span.events.map((event) => event.attributes ?? {}));
    const bags = [...told.map((span) => span.attributes), ...onLinks, ...onEvents];
    const keys = bags.flatMap((bag) => Object.keys(bag));
    const emitted = [...keys, ...OF_THE_RESOURCE];
    expect(sorted(emitted)).toEqual(sorted(attributes.map(({ key }) => key)));
  });

  test("has every event of the table, and no other", () => {
    const names = told.flatMap((span) => span.events.map(({ name }) => name));
    expect(sorted(names)).toEqual(sorted(events.map(({ name }) => name)));
  });

  test("has every metric of the table with its labels, and no other; gauges where only our own SDK has a histogram", () => {
    // The pipeline's own are of our SDK: metering.test.ts has them.
    const told = metrics.filter((metric) => !SUMMARIES.has(metric) && !metric.name.startsWith("otel.sdk."));
    expect(measured).toEqual(Object.fromEntries(told.map(({ name, labels }) => [name, [...labels].toSorted()])));
  });

  test("has error types of the table only", () => {
    const known: readonly unknown[] = Object.values(ERROR_TYPES);
    const types = told.map((span) => span.attributes[ATTRIBUTES.errorType.key]).filter((type) => type !== undefined);
    expect(types).not.toEqual([]);
    expect(types.filter((type) => !known.includes(type))).toEqual([]);
  });
});

class Arena extends Room {
  static override async onAuth(token: string) {
    if (token === "forged") {
      throw new ServerError(401, "forged ticket");
    }
    return true;
  }
  override patchRate = 5;
  override async onCreate() {
    this.setTimestep(() => {}, 5);
    await mapLoad("dust2", () => Promise.resolve(), { mode: "ctf" });
  }
  override onJoin(client: Client, { crash }: { crash?: boolean }) {
    if (crash) {
      throw new Error("no spawn point");
    }
    const session = sessionOf(client);
    session.carrier();
    session.phase("loading").end();
    session.result({ result: "won", score: 3 });
  }
  override onDrop(client: Client) {
    void this.allowReconnection(client, 20);
  }
  override onReconnect() {}
  override onLeave() {}
  override onDispose() {}
}

class Lobby extends QueueRoom {
  override onCreate() {
    super.onCreate({ matchRoomName: "arena" });
  }
}

/** One server's life on Agones, with a queue, a match, a refusal and a failed join. */
async function playStory(): Promise<{ spans: ReadableSpan[]; labels: Record<string, string[]> }> {
  const recorded = recordTelemetry();
  await using sidecar = await startSidecar();
  await using allocator = await startAllocationService();
  allocator.register(sidecar);
  process.env["AGONES_SDK_GRPC_PORT"] = String(sidecar.port);
  await bootPhase("services", () => Promise.resolve());
  const labels: Record<string, string[]> = {};
  {
    const orchestrator = agones({ onAllocated: () => {} });
    const options = { orchestrator, trust: "link", messages: true, session: { linger: 0, segment: 50 } } as const;
    await using game = await startServer({ arena: Arena, lobby: Lobby }, options, recorded);
    await game.telemetry.ready;
    const { tracerProvider, meterProvider } = recorded;
    await using provider = provisioning({ endpoint: allocator.endpoint, tracerProvider, meterProvider });
    allocator.setFault(() => (allocator.requests.length <= 2 ? "empty" : undefined));
    await allocate({ provider, region: "eu", mode: "ctf", players: 2 });
    await using gameLift = await startGameLiftFleet({
      processes: 2,
      onCreateGameSession: (session) => void setTimeout(session.activate, 1),
    });
    const asked = { tracerProvider, meterProvider };
    await allocate({ provider: gameLift.connect(asked), region: "eu", mode: "ctf" });
    await allocate({ provider: gameLift.connect({ ...asked, fleetId: undefined, queue: "eu" }) });
    await until("the allocation", () => recorded.named("gameserver.allocated").length === 1);

    const player = { playerId: "ann", authMethod: "steam", clientVersion: "1.4.2", platform: "windows" };
    const session = startSession({ ...player, tracerProvider, meterProvider });
    session.phase("matchmaking").end({ lobbyId: "lobby-7" });
    startSession({ ...player, end: "service", tracerProvider, meterProvider }).end("logout", { matchesPlayed: 2 });
    const queued = await game.client().joinOrCreate("lobby");
    queued.onMessage("clients", () => {});
    await queued.leave();
    const forger = game.client();
    forger.auth.token = "forged";
    await expect(forger.joinOrCreate("arena")).rejects.toThrow("forged ticket");
    const joined = await game
      .client({ "accept-language": "de-AT,de;q=0.9" })
      .joinOrCreate("arena", { traceparent: `00-${"c".repeat(32)}-${"d".repeat(16)}-01` });
    await expect(game.client().joinOrCreate("arena", { crash: true })).rejects.toThrow("no spawn point");
    for (const name of await recorded.metricNames()) {
      labels[name] = labelsOf(await recorded.points(name));
    }
    await dropAndReturn(joined);
    const segment = ATTRIBUTES.segmentIndex.key;
    await until("a segment", () => recorded.spans().some(({ attributes }) => attributes[segment] === 1));
    await joined.leave();
    await until("the match to be over", () => recorded.named("room.on_dispose arena").length === 1);
    for (const name of await recorded.metricNames()) {
      labels[name] = sorted([...(labels[name] ?? []), ...labelsOf(await recorded.points(name))]);
    }
  }
  await playOnGameLift(recorded);
  labels["gameserver.orchestrator.faults"] = labelsOf(await recorded.points("gameserver.orchestrator.faults"));
  return { spans: recorded.spans(), labels };
}

/** A game session with one player, and one message that is no good. */
async function playOnGameLift(recorded: RecordingTelemetry): Promise<void> {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const options: FleetOptions["options"] = {
    playerSessionOf: (_client, options) => (options as { seat: string }).seat,
  };
  await using fleet = await startFleet(Arena, { options, recorded });
  await fleet.game.telemetry.ready;
  fleet.service.send("hello");
  const id = fleet.service.createGameSession();
  await fleet.service.waitFor("the game session", () => fleet.service.gameSessions.get(id)?.status === "ACTIVE");
  const room = await fleet.game.client().joinOrCreate("arena", { seat: fleet.service.createPlayerSession(id) });
  await until("the player", () => recorded.named("gamelift.accept_player_session").length === 1);
  await room.leave();
  warned.mockRestore();
}

/** Keys of points such as `room=arena outcome=accepted`. */
function labelsOf(points: Record<string, unknown>): string[] {
  return sorted(Object.keys(points).flatMap((point) => Array.from(point.matchAll(/(\S+)=/g), ([, label]) => label!)));
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}
