import fc from "fast-check";
import { allocate } from "colyseus-otel/backend";
import { afterEach, expect, test, vi } from "vitest";
import { createApi } from "../src/backend/agones/kubernetes/api.ts";
import { knowServers, labelSelectorOf } from "../src/backend/agones/kubernetes/servers.ts";
import { createAlarm, createPatience } from "../src/backend/patience.ts";
import { createWatcher } from "../src/backend/agones/kubernetes/watch.ts";
import { byLabels } from "../standins/kubernetes-selectors.ts";
import { newGameServer } from "../standins/game-server.ts";
import { kubeConfigOf, startKubernetesCluster, type KubernetesCluster } from "./_kubernetes.ts";
import { failureOf } from "./_provisioning.ts";
import { until } from "./_server.ts";
import { durationOf, spanTree } from "./_telemetry.ts";

afterEach(() => vi.restoreAllMocks());

/** An allocation that waits, with its watch open. */
async function waiting(cluster: KubernetesCluster, deadline = 15_000) {
  const allocated = allocate({ provider: cluster.provider, deadline });
  allocated.catch(() => {});
  await cluster.api.waitFor(({ watches }) => watches() > 0);
  return { allocated };
}

function pollsOf({ recorded }: KubernetesCluster): string[] {
  return recorded
    .one("provision.wait_for_ready")
    .events.map(({ attributes = {} }) => `${attributes["state"]} ${attributes["agones.server_name"] ?? ""}`.trim());
}

test("as soon as the watch shows a server Ready the allocation is tried again, and not before", async () => {
  await using cluster = await startKubernetesCluster(["Scheduled", "Allocated"]);
  const { api, servers, recorded } = cluster;
  const { allocated } = await waiting(cluster);
  const began = performance.now();
  servers[0]!.setState("RequestReady");
  await until("two seconds without a call", () => performance.now() - began > 2000);
  expect(api.requests).toHaveLength(1);
  const ready = performance.now();
  servers[0]!.setState("Ready");
  expect(await allocated).toMatchObject({ name: "arena-1", attempts: 2, start: "cold" });
  // Without the watch the third pause alone would be longer.
  expect(performance.now() - ready).toBeLessThan(1500);
  expect(spanTree(recorded.spans())).toMatchInlineSnapshot(`
    "provision.allocate_server
      provision.agones_allocate  error.type=unallocated
      provision.wait_for_ready
      provision.agones_allocate"
  `);
  expect(pollsOf(cluster).slice(0, 3)).toEqual(["Scheduled arena-1", "RequestReady arena-1", "Ready arena-1"]);
  const { attributes, status } = recorded.one("provision.wait_for_ready");
  expect(attributes["provision.poll_count"]).toBeGreaterThanOrEqual(4);
  expect(attributes["provision.wait_ms"]).toBeGreaterThan(2000);
  expect(attributes["provision.wait_ms"]).toBeCloseTo(durationOf(recorded.one("provision.wait_for_ready")), -2);
  expect(status.code).toBe(0);
  await cluster.nothingOpen();
});

test("a server that turned Ready between the answer and the watch is not missed", async () => {
  await using cluster = await startKubernetesCluster(["Ready"]);
  // Nor one that the watch shows before the allocator knows of it.
  cluster.api.setFault(() => (cluster.api.requests.length < 4 ? "empty" : undefined));
  const began = performance.now();
  expect(await allocate({ provider: cluster.provider })).toMatchObject({ attempts: 4, start: "cold" });
  expect(performance.now() - began).toBeLessThan(4000);
});

test("none turns Ready: ready_timeout at the deadline, and the watch is closed", async () => {
  await using cluster = await startKubernetesCluster(["Scheduled"]);
  const failure = await failureOf((await waiting(cluster, 500)).allocated);
  expect(failure).toMatchObject({ outcome: "ready_timeout", attempts: 1 });
  expect(cluster.recorded.one("provision.wait_for_ready").attributes["error.type"]).toBe("ready_timeout");
  await cluster.nothingOpen();
});

test("the signal, and the provider's end, close the watch at once", async () => {
  await using cluster = await startKubernetesCluster(["Scheduled"]);
  const abort = new AbortController();
  const failed = failureOf(allocate({ provider: cluster.provider, signal: abort.signal }));
  await cluster.api.waitFor(({ watches }) => watches() === 1);
  abort.abort();
  expect((await failed).outcome).toBe("aborted");
  await cluster.nothingOpen();
  const { allocated } = await waiting(cluster);
  const closed = failureOf(allocated);
  await cluster.provider.close();
  expect((await closed).outcome).toBe("aborted");
  await cluster.nothingOpen();
});

test("those who wait for the same servers share one watch, which is closed with the last", async () => {
  await using cluster = await startKubernetesCluster(["Scheduled", "Scheduled"]);
  const all = Array.from({ length: 3 }, () => allocate({ provider: cluster.provider }));
  await until("all to wait", () => cluster.recorded.named("provision.agones_allocate").length === 3);
  await cluster.api.waitFor(({ watches }) => watches() === 1);
  cluster.servers.forEach((server) => server.setState("Ready"));
  await Promise.race(all);
  expect(cluster.api.watches()).toBe(1);
  await cluster.add({ state: "Ready" });
  const names = (await Promise.all(all)).map(({ name }) => name);
  expect(new Set(names).size).toBe(3);
  await cluster.nothingOpen();
  expect(cluster.api.queries).toHaveLength(1);
});

test.each(["cut", "gone", "busy"] as const)("a watch that is %s is opened again, with pauses", async (fault) => {
  await using cluster = await startKubernetesCluster(["Scheduled"]);
  cluster.api.setWatchFault(fault);
  const allocated = allocate({ provider: cluster.provider, deadline: 15_000 });
  await cluster.api.waitFor(({ queries }) => queries.length === 1);
  cluster.servers[0]!.setState("RequestReady");
  await cluster.api.waitFor(({ queries }) => queries.length === 2);
  cluster.api.setWatchFault();
  await until("a watch that lasts", () => cluster.api.watches() === 1);
  cluster.servers[0]!.setState("Ready");
  expect(await allocated).toMatchObject({ start: "cold" });
  expect(cluster.api.queries.length).toBeLessThan(6);
  await cluster.nothingOpen();
});

test("messages that come again are one change, and what is no message is none", async () => {
  for (const fault of ["repeat", "garbage"] as const) {
    await using cluster = await startKubernetesCluster(["Scheduled"]);
    cluster.api.setWatchFault(fault);
    const { allocated } = await waiting(cluster);
    cluster.servers[0]!.setState("RequestReady");
    cluster.servers[0]!.setState("Ready");
    await allocated;
    expect(pollsOf(cluster).slice(0, 3)).toEqual(["Scheduled arena-1", "RequestReady arena-1", "Ready arena-1"]);
    expect(pollsOf(cluster).length).toBeLessThan(5);
  }
});

test("a watch that has gone deaf costs five seconds: then the allocation is tried all the same", async () => {
  await using cluster = await startKubernetesCluster(["Scheduled"]);
  cluster.api.setWatchFault("lose");
  const { allocated } = await waiting(cluster);
  cluster.servers[0]!.setState("Ready");
  expect(await allocated).toMatchObject({ attempts: 2, start: "cold" });
  await cluster.nothingOpen();
});

test.each(["refuse", "hang"] as const)(
  "where a watch gets %s, the allocation asks again with pauses",
  async (fault) => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    await using cluster = await startKubernetesCluster(["Scheduled"]);
    cluster.api.setWatchFault(fault);
    const allocated = allocate({ provider: cluster.provider });
    await cluster.api.waitFor(({ tally }) => tally().UnAllocated === 3);
    cluster.servers[0]!.setState("Ready");
    expect(await allocated).toMatchObject({ start: "cold" });
    expect(cluster.api.queries).toHaveLength(1);
    expect(warned.mock.calls.flat().join()).toContain(fault === "refuse" ? "GameServers cannot be watched" : "");
    await cluster.nothingOpen();
  },
);

test("labels that are none are refused, and the watch is not opened again", async () => {
  await using cluster = await startKubernetesCluster(["Scheduled"]);
  const provider = cluster.connect({ selectors: [{ matchLabels: { "game mode": "ctf" } }] });
  expect((await failureOf(allocate({ provider, deadline: 1000 }))).outcome).toBe("ready_timeout");
  expect(cluster.api.queries).toHaveLength(1);
});

test("a connection that outlives its watch is dead: given up, and opened again", async () => {
  await using cluster = await startKubernetesCluster(["Scheduled"]);
  cluster.api.setWatchFault("hang");
  const api = createApi(kubeConfigOf(cluster.api));
  const watch = createWatcher({ api, namespace: "default", seconds: 0.2 })([], () => {});
  await cluster.api.waitFor(({ queries, watches }) => queries.length === 2 && watches() === 1);
  expect(watch.quiet).toBe(false);
  watch.close();
  await cluster.nothingOpen();
});

test("an API that ends every watch at its time is watched again, and nothing is told twice", async () => {
  await using cluster = await startKubernetesCluster(["Scheduled"]);
  const api = createApi(kubeConfigOf(cluster.api));
  const seen: string[] = [];
  const watch = createWatcher({ api, namespace: "default", seconds: 0.2 })([], ({ state }) => void seen.push(state));
  await cluster.api.waitFor(({ queries }) => queries.length === 3);
  cluster.servers[0]!.setState("Ready");
  await until("the change", () => seen.includes("Ready"));
  expect(seen).toEqual(["Scheduled", "Ready"]);
  watch.close();
  await cluster.nothingOpen();
});

test("a server whose end went untold is forgotten when the watch is opened again", async () => {
  await using cluster = await startKubernetesCluster(["Ready"]);
  cluster.api.setWatchFault("lose");
  const api = createApi(kubeConfigOf(cluster.api));
  let seen = 0;
  const watch = createWatcher({ api, namespace: "default", seconds: 0.2 })([], () => void (seen += 1));
  await until("the server", () => seen === 1);
  expect(watch.quiet).toBe(false);
  cluster.servers[0]!.setState("Shutdown");
  await until("nobody to be there", () => watch.quiet);
  watch.close();
  await cluster.nothingOpen();
});

test("a new server ends a long pause as well, where the allocator will not give the one that is Ready", async () => {
  await using cluster = await startKubernetesCluster(["Ready"]);
  // No such chance: the fifth pause is 3.6 s.
  vi.spyOn(Math, "random").mockReturnValue(4);
  const { api, provider } = cluster;
  api.setFault("empty");
  const allocated = allocate({ provider });
  await api.waitFor(() => api.requests.length === 5, 10_000);
  api.setFault();
  const added = performance.now();
  await cluster.add({ state: "Ready" });
  await allocated;
  expect(performance.now() - added).toBeLessThan(2000);
});

test("of at most 64 changes the wait tells, however many there are", async () => {
  await using cluster = await startKubernetesCluster(["Scheduled"]);
  const { allocated } = await waiting(cluster);
  for (let change = 0; change < 100; change += 1) {
    cluster.servers[0]!.setState(change % 2 === 0 ? "RequestReady" : "Scheduled");
  }
  cluster.servers[0]!.setState("Ready");
  await allocated;
  const { events, attributes } = cluster.recorded.one("provision.wait_for_ready");
  expect(events).toHaveLength(64);
  expect(attributes["provision.poll_count"]).toBeGreaterThan(100);
});

const LABELS = fc.dictionary(fc.constantFrom("mode", "region", "agones.dev/fleet"), fc.constantFrom("a", "b", "c"));
const STATE = fc.constantFrom("Ready" as const, "Allocated" as const);

test("a server whose end was lost is forgotten when the watch begins anew", () => {
  const servers = knowServers([]);
  const message = { type: "ADDED", object: { metadata: { name: "x" }, status: { state: "Ready" } } };
  servers.take(message);
  expect(servers.any).toBe(true);
  servers.restart();
  expect(servers.any).toBe(false);
  expect(servers.take(message)).toBeUndefined();
  expect(servers.any).toBe(true);
  servers.restart();
  servers.take({ ...message, type: "DELETED" });
  expect(servers.take(message)).toEqual({ name: "x", state: "Ready", ready: true });
});

test("what matches none of the selectors is not waited for", () => {
  const servers = knowServers([
    { matchLabels: { mode: "ctf" } },
    { matchLabels: { mode: "duel" }, state: "Allocated" },
  ]);
  const take = (mode: string, state: string) =>
    servers.take({ type: "MODIFIED", object: { metadata: { name: mode, labels: { mode } }, status: { state } } });
  expect(take("race", "Ready")).toBeUndefined();
  expect(take("duel", "Ready")).toEqual({ name: "duel", state: "Ready", ready: false });
  expect(servers.any).toBe(false);
  expect(take("duel", "Allocated")).toEqual({ name: "duel", state: "Allocated", ready: true });
  expect(take("ctf", "Ready")).toEqual({ name: "ctf", state: "Ready", ready: true });
});

test.each(["in", "before"])("an alarm that rings %s the pause ends it, however long it is", async (when) => {
  const { pause, end } = createPatience(60_000, []);
  const alarm = createAlarm(() => true);
  if (when === "before") {
    alarm.ring();
  }
  const paused = pause({ least: 30_000, alarm });
  if (when === "in") {
    alarm.ring();
  }
  expect(await paused).toBe(true);
  end();
});

test("no server that a selector matches is kept from the watch by the one selector that stands for all", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ matchLabels: LABELS, state: STATE }), { maxLength: 4 }),
      LABELS,
      (selectors, labels) => {
        const passes = byLabels(labelSelectorOf(selectors))({ ...newGameServer({ state: "Ready" }), labels });
        const wanted = ({ matchLabels }: { matchLabels: Record<string, string> }) =>
          Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
        expect(passes || !selectors.some(wanted)).toBe(true);
        if (selectors.length === 1) {
          expect(passes).toBe(wanted(selectors[0]!));
        }
      },
    ),
  );
});

test("whatever a watch sends, lost and repeated, it throws nothing, and shows at the end who can be had", () => {
  const states = fc.constantFrom("Scheduled", "Ready", "Allocated", "Shutdown");
  const message = fc.record({
    type: fc.constantFrom("ADDED", "MODIFIED", "DELETED", "BOOKMARK"),
    name: fc.constantFrom("x", "y"),
    state: states,
  });
  const anything = fc.oneof({ weight: 4, arbitrary: message }, { weight: 1, arbitrary: fc.anything() });
  fc.assert(
    fc.property(fc.array(anything), (messages) => {
      const servers = knowServers([]);
      const truth = new Map<string, string>();
      for (const sent of messages) {
        const { type, name, state } = (sent ?? {}) as Record<string, unknown>;
        const real =
          typeof name === "string" && typeof state === "string" && name.length === 1 && /^[A-Z]+$/.test(String(type));
        const object = real ? { type, object: { metadata: { name }, status: { state } } } : sent;
        const before = truth.get(name as string);
        const seen = servers.take(object);
        if (real && type === "DELETED") truth.delete(name);
        if (real && (type === "ADDED" || type === "MODIFIED")) {
          truth.set(name, state);
          expect(seen?.ready ?? false).toBe(state === "Ready" && before !== "Ready");
        }
        expect(servers.take(object)).toBeUndefined();
      }
      expect(servers.any).toBe([...truth.values()].includes("Ready"));
    }),
  );
});
