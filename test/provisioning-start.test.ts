import { allocate } from "colyseus-otel/backend";
import { startTelemetry } from "colyseus-otel/sdk";
import { expect, test, vi } from "vitest";
import { startReceiver } from "../demo/receiver/receiver.ts";
import { startKubernetesCluster } from "./_kubernetes.ts";
import { failureOf, startCluster } from "./_provisioning.ts";

const SERVERS_OWN = `00-${"e".repeat(32)}-${"f".repeat(16)}-01`;

test("a server is warm, cold when none was Ready at first, and reused when it had a match before", async () => {
  await using cluster = await startCluster(["Ready"]);
  const { service, servers, provider, recorded } = cluster;
  expect((await allocate({ provider })).start).toBe("warm");
  const late = allocate({ provider });
  await service.waitFor(() => service.tally().UnAllocated === 1);
  await cluster.add({ state: "Ready" });
  expect((await late).start).toBe("cold");
  servers[0]!.allocate({ annotations: { "agones.dev/sdk-allocations": "1" } });
  const again = allocate({ provider });
  await service.waitFor(({ tally }) => tally().UnAllocated > 1);
  servers[0]!.setState("Ready");
  expect((await again).start).toBe("reused");
  await failureOf(allocate({ provider, deadline: 300 }));

  const spans = recorded.named("provision.allocate_server");
  expect(spans.map((span) => span.attributes["gameserver.start"])).toEqual(["warm", "cold", "reused", undefined]);
  const expected = {
    "gameserver.start=warm outcome=success provider=agones": 1,
    "gameserver.start=cold outcome=success provider=agones": 1,
    "gameserver.start=reused outcome=success provider=agones": 1,
    "outcome=ready_timeout provider=agones": 1,
  };
  expect(await recorded.points("game.provision.outcomes")).toEqual(expected);
  expect(Object.keys(await recorded.points("game.provision.duration"))).toEqual(Object.keys(expected));
  expect(service.starts()).toEqual({ warm: 1, cold: 1, reused: 1 });
});

test.each(["0", "", "-1", "1.5", "1e3", " 1", "many"])(
  "a server that says it has seen %j allocations is not reused",
  async (count) => {
    await using cluster = await startCluster(["Scheduled"]);
    cluster.servers[0]!.allocate({ annotations: { "agones.dev/sdk-allocations": count } });
    cluster.servers[0]!.setState("Ready");
    expect((await allocate({ provider: cluster.provider })).start).toBe("warm");
  },
);

test("by the service each further call is a look, and tells what it was answered", async () => {
  await using cluster = await startCluster(["Scheduled"]);
  const { service, servers, provider, recorded } = cluster;
  const allocated = allocate({ provider });
  await service.waitFor(({ tally }) => tally().UnAllocated === 2);
  service.setFault(() => (service.tally().Contention === 0 ? "contention" : undefined));
  await service.waitFor(({ tally }) => tally().Contention === 1);
  servers[0]!.setState("Ready");
  const { attempts } = await allocated;
  const { events, attributes, status } = recorded.one("provision.wait_for_ready");
  expect(attributes["provision.poll_count"]).toBe(attempts - 1);
  expect(attributes["error.type"]).toBeUndefined();
  expect(status.code).toBe(0);
  expect(events.map((event) => [event.name, event.attributes])).toEqual([
    ["server_state_poll", { state: "UnAllocated" }],
    ["server_state_poll", { state: "Contention" }],
  ]);
});

test("who finds a server at once has waited for none", async () => {
  await using cluster = await startCluster();
  cluster.service.setFault(() => (cluster.service.requests.length === 1 ? "contention" : undefined));
  expect(await allocate({ provider: cluster.provider })).toMatchObject({ attempts: 2, start: "warm" });
  expect(cluster.recorded.named("provision.wait_for_ready")).toEqual([]);
});

test.each([startCluster, startKubernetesCluster])(
  "the context that the server hands back is a link of the call that had it: %#",
  async (start) => {
    await using cluster = await start(["Scheduled"]);
    const [server] = cluster.servers;
    for (const own of [SERVERS_OWN, "nonsense"]) {
      server!.allocate({ annotations: { "agones.dev/sdk-traceparent": own } });
      server!.setState("Ready");
      await allocate({ provider: cluster.provider });
    }
    const [linked, not] = cluster.recorded.named("provision.agones_allocate");
    expect(linked!.links).toMatchObject([
      {
        context: { traceId: "e".repeat(32), spanId: "f".repeat(16) },
        attributes: { "colyseus.trace_context.source": "annotation" },
      },
    ]);
    expect(not!.links).toEqual([]);
  },
);

test("our own SDK sends that link as well, and the wait with its events", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint);
  await using _sdk = startTelemetry({ load: "now" });
  await using cluster = await startCluster(["Scheduled"], {}, { tracerProvider: undefined, meterProvider: undefined });
  cluster.service.setFault(() => (cluster.service.requests.length <= 2 ? "empty" : undefined));
  cluster.servers[0]!.allocate({ annotations: { "agones.dev/sdk-traceparent": SERVERS_OWN } });
  cluster.servers[0]!.setState("Ready");
  await allocate({ provider: cluster.provider });
  vi.unstubAllEnvs();
  await receiver.waitFor(() => receiver.spans.some(({ name }) => name === "provision.allocate_server"), 10_000);
  const [had] = receiver.spans.filter(({ name, links }) => name === "provision.agones_allocate" && links.length > 0);
  expect(had!.links).toMatchObject([{ spanId: "f".repeat(16) }]);
  const wait = receiver.spans.find(({ name }) => name === "provision.wait_for_ready");
  expect(wait!.events.map(({ name }) => name)).toEqual(["server_state_poll"]);
});
