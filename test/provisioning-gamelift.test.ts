import { context, createTraceState, trace, type SpanContext } from "@opentelemetry/api";
import { allocate, flexMatchAttributes, gameLiftPlayerData, type TraceCarrier } from "colyseus-otel/backend";
import { CreatePlayerSessionCommand } from "@aws-sdk/client-gamelift";
import { expect, test } from "vitest";
import type { HostedSession } from "../standins/gamelift-api.ts";
import { startGameLiftFleet } from "./_gamelift-api.ts";
import { MUTE, startCluster } from "./_provisioning.ts";
import { spanTree, startOf } from "./_telemetry.ts";

const ACTIVE: SpanContext = { traceId: "d".repeat(32), spanId: "d".repeat(16), traceFlags: 1 };
const PLAYER = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`, tracestate: "vendor=1" };

test("one trace leads from the matchmaker to the game session, which is played once it is active", async () => {
  const hosted: HostedSession[] = [];
  await using fleet = await startGameLiftFleet({ onCreateGameSession: (session) => hosted.push(session) });
  const { api, recorded, provider } = fleet;
  const allocation = allocate({ provider, region: "eu-1", mode: "ctf", players: 6, annotations: { map: "dust2" } });
  await api.waitFor(() => api.count("DescribeGameSessions") === 2);
  hosted[0]!.activate();
  const server = await allocation;

  expect(spanTree(recorded.spans())).toMatchInlineSnapshot(`
    "provision.allocate_server
      provision.gamelift_create_session
      provision.gamelift_wait_active"
  `);
  const { traceId, spanId } = recorded.one("provision.gamelift_create_session").spanContext();
  const requestedAt = String(Math.floor(startOf(recorded.one("provision.allocate_server"))));
  const properties = {
    gameMode: "ctf",
    region: "eu-1",
    map: "dust2",
    "colyseus-otel/requested-at": requestedAt,
    traceparent: `00-${traceId}-${spanId}-01`,
  };
  expect(hosted[0]!.properties).toEqual(properties);
  expect(hosted[0]!.maximumPlayers).toBe(8);
  expect(server).toEqual({
    name: hosted[0]!.id,
    address: "127.0.0.1",
    port: 7001,
    ports: [{ name: "default", port: 7001 }],
    addresses: [
      { type: "ExternalIP", address: "127.0.0.1" },
      { type: "Hostname", address: "ec2-127-0-0-1.compute.amazonaws.com" },
    ],
    node: "i-0123",
    source: "eu-west-1",
    labels: {},
    annotations: properties,
    attempts: 1,
    start: "warm",
  });
});

test("the spans say what was asked for, where it was had, and what each look showed", async () => {
  await using fleet = await startGameLiftFleet({ onCreateGameSession() {} });
  const { api, recorded, provider } = fleet;
  const allocation = allocate({ provider, region: "eu-1", mode: "ctf" });
  await api.waitFor(() => api.count("DescribeGameSessions") === 1);
  api.sessions[0]!.activate();
  await allocation;
  const id = api.sessions[0]!.id;
  expect(recorded.one("provision.gamelift_create_session").attributes).toEqual({
    "game.mode": "ctf",
    region: "eu-1",
    max_players: 8,
    "gamelift.session_id": id,
    "gamelift.status": "ACTIVATING",
    "gamelift.ip": "127.0.0.1",
    "gamelift.port": 7001,
  });
  const { attributes, events } = recorded.one("provision.gamelift_wait_active");
  const { "provision.wait_ms": wait, ...rest } = attributes;
  expect(rest).toEqual({
    "gamelift.session_id": id,
    "gamelift.ip": "127.0.0.1",
    "gamelift.port": 7001,
    "gamelift.final_status": "ACTIVE",
    "provision.poll_count": events.length,
  });
  expect(wait).toBeGreaterThan(0);
  expect(events[0]).toMatchObject({ name: "poll", attributes: { status: "ACTIVATING" } });
  expect(events.at(-1)).toMatchObject({ name: "poll", attributes: { status: "ACTIVE" } });
  expect(recorded.one("provision.allocate_server").attributes).toMatchObject({
    "provision.provider": "gamelift",
    "server.address": "127.0.0.1",
    "server.port": 7001,
  });
});

test("a queue's placement is a trace as well, and its game session is known once it is fulfilled", async () => {
  await using fleet = await startGameLiftFleet({ onCreateGameSession() {} }, { fleetId: undefined, queue: "eu" });
  const { api, recorded, provider } = fleet;
  const allocation = allocate({ provider, players: 4, mode: "ctf" });
  await api.waitFor(() => api.count("DescribeGameSessionPlacement") === 1);
  api.sessions[0]!.activate();
  const server = await allocation;
  const { id } = api.placements[0]!;
  expect(server).toMatchObject({ name: api.sessions[0]!.id, address: "127.0.0.1", port: 7001, source: "eu-west-1" });
  expect(spanTree(recorded.spans())).toMatchInlineSnapshot(`
    "provision.allocate_server
      provision.gamelift_create_session
      provision.gamelift_wait_active"
  `);
  expect(recorded.one("provision.gamelift_create_session").attributes).toEqual({
    "game.mode": "ctf",
    max_players: 8,
    "gamelift.placement_id": id,
    "gamelift.status": "PENDING",
  });
  const { attributes, events } = recorded.one("provision.gamelift_wait_active");
  expect(attributes).toMatchObject({ "gamelift.final_status": "FULFILLED", "gamelift.session_id": server.name });
  expect(events.map((event) => event.attributes?.["status"])).toEqual([
    ...events.slice(1).map(() => "PENDING"),
    "FULFILLED",
  ]);
  expect(api.sessions[0]!.properties["traceparent"]).toContain(recorded.spans()[0]!.spanContext().traceId);
  expect(api.requests.map(({ operation }) => operation)).not.toContain("CreateGameSession");
});

test("the fleet is asked by id or alias, at the location that is given or said for each match", async () => {
  await using fleet = await startGameLiftFleet({ processes: 3 });
  const byMode = ({ mode }: { mode: string | undefined }) => (mode === "duel" ? "us-east-1" : undefined);
  await allocate({ provider: fleet.connect({ location: "ap-south-1" }) });
  await allocate({
    provider: fleet.connect({ fleetId: undefined, aliasId: "alias-1", location: byMode }),
    mode: "duel",
  });
  await allocate({ provider: fleet.connect({ location: byMode }), mode: "ctf" });
  const asked = fleet.api.requests.filter(({ operation }) => operation === "CreateGameSession");
  expect(asked.map(({ input: { FleetId, AliasId, Location } }) => ({ FleetId, AliasId, Location }))).toEqual([
    { FleetId: "fleet-1", AliasId: undefined, Location: "ap-south-1" },
    { FleetId: undefined, AliasId: "alias-1", Location: "us-east-1" },
    { FleetId: "fleet-1", AliasId: undefined, Location: undefined },
  ]);
});

test("without maximumPlayers there is room for the match's players", async () => {
  await using fleet = await startGameLiftFleet({}, { maximumPlayers: undefined });
  await allocate({ provider: fleet.provider, players: [PLAYER, PLAYER, PLAYER] });
  expect(fleet.api.sessions[0]!.maximumPlayers).toBe(3);
});

test("the names of the game's own properties win, but not those of the context, and a tracestate is left out", async () => {
  await using fleet = await startGameLiftFleet({}, { properties: { map: "dust2", season: "4", traceparent: "stale" } });
  const annotations = { map: "mirage", gameMode: "ranked", "colyseus-otel/requested-at": "0" };
  await allocate({ provider: fleet.provider, mode: "ctf", players: [PLAYER], annotations });
  const { traceparent, "colyseus-otel/requested-at": at, ...properties } = fleet.api.sessions[0]!.properties;
  expect(properties).toEqual({ map: "mirage", season: "4", gameMode: "ranked" });
  expect(traceparent).toMatch(/^00-a{32}-[0-9a-f]{16}-01$/);
  expect(Number(at)).toBeGreaterThan(0);
});

test.each([
  ["no SDK is registered", undefined],
  ["the SDK records nothing", MUTE],
])("the player's context reaches the game session also where %s", async (_what, tracerProvider) => {
  await using fleet = await startGameLiftFleet({}, { tracerProvider, meterProvider: undefined });
  await allocate({ provider: fleet.provider, players: [ACTIVE] });
  expect(fleet.api.sessions[0]!.properties["traceparent"]).toBe(`00-${ACTIVE.traceId}-${ACTIVE.spanId}-01`);
  expect(fleet.recorded.spans()).toEqual([]);
});

test("the AWS client's calls run inside our spans, for instrumentations of its own", async () => {
  await using fleet = await startGameLiftFleet({
    onCreateGameSession: (session) => void setTimeout(session.activate, 1),
  });
  const client = fleet.client();
  const active: string[] = [];
  const send = (command: never, options: object) => {
    active.push(trace.getSpanContext(context.active())!.spanId);
    return client.send(command, options) as Promise<unknown>;
  };
  await allocate({ provider: fleet.connect({ client: { send } }) });
  const [create, wait] = ["create_session", "wait_active"].map(
    (name) => fleet.recorded.one(`provision.gamelift_${name}`).spanContext().spanId,
  );
  expect(active[0]).toBe(create);
  expect(new Set(active.slice(1))).toEqual(new Set([wait]));
});

test("a player's context fits a player session's data and a FlexMatch attribute", async () => {
  await using fleet = await startGameLiftFleet();
  const { name: GameSessionId } = await allocate({ provider: fleet.provider });
  const command = new CreatePlayerSessionCommand({
    GameSessionId,
    PlayerId: "ann",
    PlayerData: gameLiftPlayerData(PLAYER),
  });
  const { PlayerSession } = await fleet.client().send(command);
  expect(JSON.parse(PlayerSession!.PlayerData!)).toEqual(PLAYER);
  expect(flexMatchAttributes(PLAYER)).toEqual({ traceparent: { S: PLAYER.traceparent } });
  expect(flexMatchAttributes(ACTIVE)).toEqual({ traceparent: { S: `00-${ACTIVE.traceId}-${ACTIVE.spanId}-01` } });
  for (const carrier of [{}, { traceparent: "nonsense" }, null, undefined, "nonsense"] as TraceCarrier[]) {
    expect([gameLiftPlayerData(carrier), flexMatchAttributes(carrier)]).toEqual([undefined, {}]);
  }
});

test("a context that has travelled as JSON, without its trace state's methods, is a carrier like any other", async () => {
  const travelled = JSON.parse(JSON.stringify({ ...ACTIVE, traceState: createTraceState("vendor=1") })) as TraceCarrier;
  const traceparent = `00-${ACTIVE.traceId}-${ACTIVE.spanId}-01`;
  expect(gameLiftPlayerData(travelled)).toBe(JSON.stringify({ traceparent }));
  await using cluster = await startCluster(["Ready"], {}, { tracerProvider: MUTE });
  const server = await allocate({ provider: cluster.provider, players: [travelled] });
  expect(server.annotations["traceparent"]).toBe(traceparent);
});
