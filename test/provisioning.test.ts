import { Room } from "@colyseus/core";
import { context, trace, type SpanContext } from "@opentelemetry/api";
import { allocate } from "colyseus-otel/backend";
import { agones as orchestrator } from "colyseus-otel/agones";
import { afterEach, expect, test, vi } from "vitest";
import { failureOf, MUTE, startCluster } from "./_provisioning.ts";
import { startServer, until } from "./_server.ts";
import { recordTelemetry, spanTree, startOf } from "./_telemetry.ts";

class Arena extends Room {}

const PLAYERS = ["a", "b", "c"].map((digit) => ({ traceparent: `00-${digit.repeat(32)}-${digit.repeat(16)}-01` }));
const ACTIVE: SpanContext = { traceId: "d".repeat(32), spanId: "d".repeat(16), traceFlags: 1 };

afterEach(() => vi.restoreAllMocks());

test("one trace leads from the matchmaker through the allocation service into the game server", async () => {
  await using cluster = await startCluster(["Scheduled"]);
  const [sidecar] = cluster.servers;
  process.env["AGONES_SDK_GRPC_PORT"] = String(sidecar!.port);
  const { recorded } = cluster;
  await using game = await startServer(
    { arena: Arena },
    { orchestrator: orchestrator({ onAllocated() {} }) },
    recorded,
  );
  await game.telemetry.ready;
  await sidecar!.waitFor(({ annotations }) => annotations["agones.dev/sdk-traceparent"] !== undefined);
  recorded.reset();

  const server = await allocate({ provider: cluster.provider, region: "eu-1", mode: "ctf", players: 8 });
  await until("gameserver.allocated", () => recorded.named("gameserver.allocated").length === 1);
  expect(spanTree(recorded.spans())).toMatchInlineSnapshot(`
    "provision.allocate_server
      provision.agones_allocate  ~> <outside>
        gameserver.allocated  ~> <outside>"
  `);
  expect(server).toMatchObject({ name: "arena-1", address: "127.0.0.1", port: 7001, node: "node-1", source: "local" });
  expect(server).toMatchObject({ ports: [{ name: "default", port: 7001 }], attempts: 1 });

  const { attributes } = recorded.one("provision.allocate_server");
  const { "provision.total_ms": total, ...rest } = attributes;
  expect(rest).toMatchInlineSnapshot(`
    {
      "game.mode": "ctf",
      "gameserver.start": "warm",
      "provision.attempts": 1,
      "provision.provider": "agones",
      "region": "eu-1",
      "required_players": 8,
      "server.address": "127.0.0.1",
      "server.port": 7001,
    }
  `);
  expect(total).toBeGreaterThan(0);
  expect(recorded.one("provision.agones_allocate").attributes).toMatchInlineSnapshot(`
    {
      "agones.node_name": "node-1",
      "agones.server_name": "arena-1",
      "agones.state": "Allocated",
    }
  `);
  const requestedAt = Number(server.annotations["colyseus-otel/requested-at"]);
  expect(requestedAt).toBe(Math.floor(startOf(recorded.one("provision.allocate_server"))));
});

test("the caller's labels and annotations go along, and a traceparent among them gives way to ours", async () => {
  await using cluster = await startCluster();
  const server = await allocate({
    provider: cluster.provider,
    labels: { mode: "ctf" },
    annotations: { match: "m1", traceparent: "stale", tracestate: "stale=1" },
  });
  expect(server.labels).toMatchObject({ mode: "ctf", "agones.dev/fleet": "arena" });
  const { traceId, spanId } = cluster.recorded.one("provision.agones_allocate").spanContext();
  expect(server.annotations).toMatchObject({ match: "m1", traceparent: `00-${traceId}-${spanId}-01`, tracestate: "" });
});

test("a server that is used again does not keep the tracestate of its last match", async () => {
  await using cluster = await startCluster();
  const [first] = PLAYERS;
  const one = await allocate({ provider: cluster.provider, players: [{ ...first!, tracestate: "vendor=1" }] });
  expect(one.annotations["tracestate"]).toBe("vendor=1");
  cluster.servers[0]!.setState("Ready");
  const two = await allocate({ provider: cluster.provider });
  expect(two.annotations["tracestate"]).toBe("");
});

test("servers are taken of the fleet, of the selectors in their order, or as a function says for each match", async () => {
  await using cluster = await startCluster([]);
  await cluster.add({ state: "Ready", fleet: "duels" });
  await cluster.add({ state: "Ready", fleet: "arena" });
  await cluster.add({ state: "Ready", fleet: "arena-eu" });
  const arena = await allocate({ provider: cluster.connect({ fleet: "arena" }) });
  expect(arena.name).toBe("arena-2");
  const byMatch = cluster.connect({
    selectors: ({ region, mode }) => [{ matchLabels: { "agones.dev/fleet": `${mode}-${region}` } }],
  });
  expect((await allocate({ provider: byMatch, region: "eu", mode: "arena" })).name).toBe("arena-3");
  const again = cluster.connect({
    selectors: [
      { matchLabels: { "agones.dev/fleet": "arena" } },
      { matchLabels: { "agones.dev/fleet": "arena" }, state: "Allocated" },
    ],
  });
  expect((await allocate({ provider: again })).name).toBe("arena-2");
  const elsewhere = cluster.connect({ namespace: "games" });
  expect((await failureOf(allocate({ provider: elsewhere, deadline: 500 }))).outcome).toBe("ready_timeout");
});

test("a single player's context is the parent, and the caller's active span a link", async () => {
  await using cluster = await startCluster();
  await inside(ACTIVE, () => allocate({ provider: cluster.provider, players: PLAYERS.slice(0, 1) }));
  const span = cluster.recorded.one("provision.allocate_server");
  expect(span.parentSpanContext?.spanId).toBe("a".repeat(16));
  expect(span.spanContext().traceId).toBe("a".repeat(32));
  expect(span.links.map((link) => link.context.spanId)).toEqual([ACTIVE.spanId]);
  expect(span.attributes["required_players"]).toBe(1);
});

test("several players' contexts are links on a trace of its own, each once", async () => {
  await using cluster = await startCluster();
  const players = [...PLAYERS, PLAYERS[0]!, {}, { traceparent: "nonsense" }];
  const links = [{ traceparent: `00-${"e".repeat(32)}-${"e".repeat(16)}-01` }];
  await inside(ACTIVE, () => allocate({ provider: cluster.provider, players, links }));
  const span = cluster.recorded.one("provision.allocate_server");
  expect(span.parentSpanContext).toBeUndefined();
  expect(span.links.map(({ context: { spanId } }) => spanId[0])).toEqual(["a", "b", "c", "d", "e"]);
  expect(span.links[0]!.attributes).toEqual({ "colyseus.trace_context.source": "player" });
  expect(span.attributes["required_players"]).toBe(6);
  expect(await cluster.recorded.points("colyseus.trace_context")).toEqual({
    "outcome=linked source=player": 4,
    "outcome=absent source=player": 1,
    "outcome=malformed source=player": 1,
  });
});

test("without a player's context the caller's active span is the parent", async () => {
  await using cluster = await startCluster();
  await inside(ACTIVE, () => allocate({ provider: cluster.provider, players: [{}, {}] }));
  const span = cluster.recorded.one("provision.allocate_server");
  expect(span.parentSpanContext?.spanId).toBe(ACTIVE.spanId);
  expect(span.links).toEqual([]);
});

test.each([
  ["no SDK is registered", undefined],
  ["the SDK records nothing", MUTE],
])("the player's context reaches the server also where %s", async (_what, tracerProvider) => {
  await using cluster = await startCluster(["Ready"], {}, { tracerProvider, meterProvider: undefined });
  const server = await allocate({ provider: cluster.provider, players: [ACTIVE] });
  expect(server.annotations["traceparent"]).toBe(`00-${ACTIVE.traceId}-${ACTIVE.spanId}-01`);
  expect(cluster.recorded.spans()).toEqual([]);
});

test("an SDK that is registered after the provider was made is found", async () => {
  await using cluster = await startCluster(["Ready", "Ready"], {}, { tracerProvider: undefined });
  await allocate({ provider: cluster.provider });
  const late = recordTelemetry();
  trace.setGlobalTracerProvider(late.tracerProvider);
  await allocate({ provider: cluster.provider });
  trace.disable();
  expect(late.named("provision.allocate_server")).toHaveLength(1);
});

test("the thirteenth region and mode are counted as other", async () => {
  const names = Array.from({ length: 14 }, (_, index) => `r${index}`);
  await using cluster = await startCluster(names.map(() => "Ready"));
  for (const name of names) {
    await allocate({ provider: cluster.provider, region: name, mode: name });
  }
  const points = await cluster.recorded.points("game.provision.outcomes");
  expect(Object.keys(points)).toHaveLength(13);
  expect(points["game.mode=other gameserver.start=warm outcome=success provider=agones region=other"]).toBe(2);
});

function inside<T>(active: SpanContext, call: () => T): T {
  return context.with(trace.setSpanContext(context.active(), active), call);
}
