import { CustomObjectsApi, Watch } from "@kubernetes/client-node";
import { expect, test } from "vitest";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { startKubernetesApi, type KubernetesApi } from "../standins/kubernetes-api.ts";
import { kubeConfigOf } from "./_kubernetes.ts";
import { until } from "./_server.ts";

const ALLOCATIONS = {
  group: "allocation.agones.dev",
  version: "v1",
  namespace: "default",
  plural: "gameserverallocations",
};
const SERVERS = { group: "agones.dev", version: "v1", namespace: "default", plural: "gameservers" };

test("allocates for the official client the first server that is Ready, and writes the metadata to it", async () => {
  await using busy = await startSidecar({ state: "Allocated", name: "arena-1" });
  await using ready = await startSidecar({ state: "Ready", name: "arena-2" });
  await using api = await startKubernetesApi();
  api.register(busy);
  api.register(ready, { port: 2567, node: "node-7" });
  const metadata = { labels: { mode: "ctf" }, annotations: { traceparent: "00-a-b-01" } };
  expect(await allocate(api, { metadata })).toMatchObject({
    kind: "GameServerAllocation",
    status: {
      state: "Allocated",
      gameServerName: "arena-2",
      address: "127.0.0.1",
      ports: [{ name: "default", port: 2567 }],
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      nodeName: "node-7",
      source: "local",
      metadata: { labels: { mode: "ctf", "agones.dev/fleet": "arena" }, annotations: { traceparent: "00-a-b-01" } },
    },
  });
  expect(ready.state()).toBe("Allocated");
  expect(await allocate(api, {})).toMatchObject({ status: { state: "UnAllocated" } });
  expect(api.tally()).toMatchObject({ Allocated: 1, UnAllocated: 1 });
});

test("refuses strangers, other kinds, other paths, and on command", async () => {
  await using api = await startKubernetesApi();
  const stranger = { ...api, token: "guessed" };
  await expect(allocate(stranger, {})).rejects.toMatchObject({ code: 401 });
  const other = kubeConfigOf(api).makeApiClient(CustomObjectsApi);
  await expect(other.createNamespacedCustomObject({ ...ALLOCATIONS, body: {} })).rejects.toMatchObject({ code: 422 });
  await expect(other.listNamespacedCustomObject({ ...SERVERS, plural: "fleets" })).rejects.toMatchObject({ code: 404 });
  for (const [fault, answer] of [
    ["refuse", { code: 403 }],
    ["unauthorized", { code: 401 }],
    ["conflict", { code: 409 }],
    ["busy", { code: 429, headers: { "retry-after": "1" } }],
    ["quota", { code: 403, body: expect.stringContaining("exceeded quota") }],
  ] as const) {
    api.setFault(fault);
    await expect(allocate(api, {})).rejects.toMatchObject(answer);
  }
  api.setFault("contention");
  expect(await allocate(api, {})).toMatchObject({ status: { state: "Contention" } });
  expect(api.tally()).toMatchObject({ Refused: 2, Contention: 2, Quota: 2 });
});

test("lists by labels and name, with a version, and on command says that it is gone", async () => {
  await using api = await startKubernetesApi();
  await using one = await startSidecar({ name: "arena-1", fleet: "arena" });
  await using two = await startSidecar({ name: "duel-1", fleet: "duels" });
  api.register(one);
  api.register(two);
  const list = async (selectors: object) => {
    const found = (await client(api).listNamespacedCustomObject({ ...SERVERS, ...selectors })) as List;
    expect(Number(found.metadata.resourceVersion)).toBeGreaterThan(1);
    return found.items.map(({ metadata }) => metadata.name);
  };
  expect(await list({})).toEqual(["arena-1", "duel-1"]);
  expect(await list({ labelSelector: "agones.dev/fleet=duels" })).toEqual(["duel-1"]);
  expect(await list({ labelSelector: "agones.dev/fleet in (duels, arena),agones.dev/fleet!=duels" })).toEqual([
    "arena-1",
  ]);
  expect(await list({ labelSelector: "!agones.dev/fleet" })).toEqual([]);
  expect(await list({ fieldSelector: "metadata.name=arena-1" })).toEqual(["arena-1"]);
  await expect(list({ fieldSelector: "status.state=Ready" })).rejects.toMatchObject({ code: 400 });
  api.setWatchFault("gone");
  await expect(list({})).rejects.toMatchObject({ code: 410 });
});

test("watches for the official client: what there is, then each change, bookmarks between, and the end in time", async () => {
  await using api = await startKubernetesApi();
  await using sidecar = await startSidecar({ name: "arena-1" });
  api.register(sidecar);
  await using watched = await watch(api, { allowWatchBookmarks: true, timeoutSeconds: 2 });
  await until("the first server", () => watched.seen.length === 1);
  sidecar.setState("Ready");
  await until("a bookmark", () => watched.seen.includes("BOOKMARK undefined"));
  sidecar.setState("Shutdown");
  await until("the end", () => watched.ended());
  expect(watched.seen.filter((line) => !line.startsWith("BOOKMARK"))).toEqual([
    "ADDED Scheduled",
    "MODIFIED Ready",
    "MODIFIED Shutdown",
    "DELETED Shutdown",
  ]);
  expect(api.watches()).toBe(0);
});

test("a watch goes on from a version, and from a forgotten one not: 410 in a message", async () => {
  await using api = await startKubernetesApi();
  await using sidecar = await startSidecar({ name: "arena-1" });
  api.register(sidecar);
  const { metadata } = (await client(api).listNamespacedCustomObject(SERVERS)) as List;
  sidecar.setState("Ready");
  await using watched = await watch(api, { resourceVersion: metadata.resourceVersion });
  await until("what came after", () => watched.seen.length === 1);
  expect(watched.seen).toEqual(["MODIFIED Ready"]);
  api.compact();
  await using late = await watch(api, { resourceVersion: metadata.resourceVersion });
  await until("the end", () => late.ended());
  expect(late.seen).toEqual(["ERROR Failure 410"]);
});

test("watches are cut, deaf, repeated and refused on command", async () => {
  await using api = await startKubernetesApi();
  await using sidecar = await startSidecar({ name: "arena-1" });
  api.register(sidecar);
  api.setWatchFault("repeat");
  await using repeated = await watch(api, {});
  await until("it three times", () => repeated.seen.length === 3);
  api.setWatchFault("lose");
  await using deaf = await watch(api, {});
  api.setWatchFault("cut");
  await using cut = await watch(api, {});
  await until("all to begin", () => deaf.seen.length + cut.seen.length === 2);
  sidecar.setState("Ready");
  await until("the cut, and the others' news", () => cut.ended() && repeated.seen.length === 6);
  expect(deaf.seen).toEqual(["ADDED Scheduled"]);
  api.setWatchFault("refuse");
  await using refused = await watch(api, {});
  expect(refused.ended()).toMatchObject({ statusCode: 403 });
});

test("counts matches by what they ask for: warm where a server was Ready at the first request, cold, reused", async () => {
  await using api = await startKubernetesApi();
  const asked = (id: string) => allocate(api, { metadata: { labels: { id }, annotations: { traceparent: id } } });
  await asked("early");
  await using sidecar = await startSidecar({ state: "Ready" });
  api.register(sidecar);
  await asked("early");
  sidecar.setState("Ready");
  await asked("late");
  await using fresh = await startSidecar({ state: "Ready", name: "arena-2" });
  api.register(fresh);
  await asked("last");
  expect(api.starts()).toEqual({ warm: 1, cold: 1, reused: 1 });
  expect(api.provisionings().map(({ labels, states, start }) => [labels["id"], states, start])).toEqual([
    ["early", ["UnAllocated", "Allocated"], "cold"],
    ["late", ["Allocated"], "reused"],
    ["last", ["Allocated"], "warm"],
  ]);
});

test("says which port it could not have", async () => {
  await using api = await startKubernetesApi();
  await expect(startKubernetesApi({ port: api.port })).rejects.toThrow(String(api.port));
});

interface List {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

function client(api: Pick<KubernetesApi, "server" | "token">): CustomObjectsApi {
  return kubeConfigOf(api).makeApiClient(CustomObjectsApi);
}

function allocate(api: Pick<KubernetesApi, "server" | "token">, spec: object): Promise<unknown> {
  const body = { apiVersion: "allocation.agones.dev/v1", kind: "GameServerAllocation", spec };
  return client(api).createNamespacedCustomObject({ ...ALLOCATIONS, body });
}

interface Watched extends AsyncDisposable {
  /** Of each message the type and the state, of an error the code. */
  readonly seen: readonly string[];
  /** Undefined until it has; the error where there was one. */
  ended(): unknown;
}

async function watch(api: KubernetesApi, query: Record<string, string | number | boolean>): Promise<Watched> {
  const seen: string[] = [];
  let end: unknown;
  const note = (type: string, { status, code }: { status?: { state: string } | string; code?: number }) =>
    seen.push(`${type} ${typeof status === "object" ? status.state : status}${code ? ` ${code}` : ""}`);
  const path = "/apis/agones.dev/v1/namespaces/default/gameservers";
  const abort = await new Watch(kubeConfigOf(api)).watch(path, query, note, (error: unknown) => {
    end = error ?? "in order";
  });
  return {
    seen,
    ended: () => end,
    async [Symbol.asyncDispose]() {
      abort.abort();
    },
  };
}
