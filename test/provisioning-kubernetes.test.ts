import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { agones, allocate } from "colyseus-otel/backend";
import { expect, test, vi } from "vitest";
import { millisecondsOf } from "../src/backend/agones/kubernetes/api.ts";
import { answerOf } from "../src/backend/agones/kubernetes/allocation.ts";
import { createAuthority } from "./_certificates.ts";
import { kubeConfigOf, startKubernetesCluster } from "./_kubernetes.ts";
import { failureOf } from "./_provisioning.ts";
import { durationOf, spanTree } from "./_telemetry.ts";

const backend = new URL("../src/backend.ts", import.meta.url).href;

test("allocates by the Kubernetes API what it allocates by the service: same spans, same annotations, same server", async () => {
  await using cluster = await startKubernetesCluster();
  const annotations = { match: "m1", traceparent: "stale", tracestate: "stale=1" };
  const { provider, recorded } = cluster;
  const server = await allocate({ provider, region: "eu", mode: "ctf", labels: { mode: "ctf" }, annotations });
  expect(server).toMatchObject({
    name: "arena-1",
    address: "127.0.0.1",
    port: 7001,
    ports: [{ name: "default", port: 7001 }],
    addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
    node: "node-1",
    source: "local",
    labels: { mode: "ctf", "agones.dev/fleet": "arena" },
    attempts: 1,
    start: "warm",
  });
  const call = recorded.one("provision.agones_allocate");
  const { traceId, spanId } = call.spanContext();
  expect(server.annotations).toMatchObject({ match: "m1", traceparent: `00-${traceId}-${spanId}-01`, tracestate: "" });
  expect(Number(server.annotations["colyseus-otel/requested-at"])).toBeGreaterThan(0);
  expect(spanTree(recorded.spans())).toMatchInlineSnapshot(`
    "provision.allocate_server
      provision.agones_allocate"
  `);
  expect(call.attributes).toMatchInlineSnapshot(`
    {
      "agones.node_name": "node-1",
      "agones.server_name": "arena-1",
      "agones.state": "Allocated",
    }
  `);
  expect(cluster.api.queries).toEqual([]);
});

test("servers are taken of the fleet, or of the selectors in their order, in the namespace", async () => {
  await using cluster = await startKubernetesCluster([]);
  await cluster.add({ state: "Ready", fleet: "duels" });
  await cluster.add({ state: "Ready", fleet: "arena" });
  expect((await allocate({ provider: cluster.connect({ fleet: "arena" }) })).name).toBe("arena-2");
  const selectors = [
    { matchLabels: { "agones.dev/fleet": "arena" } },
    { matchLabels: { "agones.dev/fleet": "arena" }, state: "Allocated" as const },
  ];
  expect((await allocate({ provider: cluster.connect({ selectors }) })).name).toBe("arena-2");
  const elsewhere = cluster.connect({ namespace: "games" });
  expect((await failureOf(allocate({ provider: elsewhere, deadline: 300 }))).outcome).toBe("ready_timeout");
});

test.each([
  ["refuse", "allocation_failed", "refused", 2],
  ["unauthorized", "allocation_failed", "refused", 2],
  ["quota", "quota", "quota", 0],
] as const)("%s is not asked again: %s", async (fault, outcome, type, status) => {
  await using cluster = await startKubernetesCluster();
  cluster.api.setFault(fault);
  const failure = await failureOf(allocate({ provider: cluster.provider }));
  expect(failure).toMatchObject({ outcome, attempts: 1, cause: { name: "ApiError" } });
  const call = cluster.recorded.one("provision.agones_allocate");
  expect([call.attributes["error.type"], call.status.code]).toEqual([type, status]);
  expect(cluster.recorded.one("provision.allocate_server").status.code).toBe(2);
});

test.each(["contention", "conflict"] as const)("%s is asked again, until the deadline", async (fault) => {
  await using cluster = await startKubernetesCluster();
  cluster.api.setFault(fault);
  const failure = await failureOf(allocate({ provider: cluster.provider, deadline: 1000 }));
  expect(failure.outcome).toBe("contention");
  expect(failure.attempts).toBeGreaterThan(1);
  const [call] = cluster.recorded.named("provision.agones_allocate");
  expect(call!.attributes).toMatchObject({ "agones.state": "Contention", "error.type": "contention" });
});

test("too many requests are asked again when the API says so, and not before", async () => {
  await using cluster = await startKubernetesCluster();
  const { api, provider } = cluster;
  api.setFault(() => (api.requests.length === 1 ? "busy" : undefined));
  expect(await allocate({ provider })).toMatchObject({ attempts: 2, start: "warm" });
  const [first, second] = cluster.recorded.named("provision.agones_allocate");
  const [began, again] = [first!.endTime, second!.startTime].map(([s, ns]) => s * 1000 + ns / 1e6);
  expect(again! - began!).toBeGreaterThan(990);
  api.setFault("busy");
  const failure = await failureOf(allocate({ provider, deadline: 600 }));
  expect(failure).toMatchObject({ outcome: "quota", attempts: 1 });
  expect(failure.message).toContain("429: Too many requests");
});

test("a service that limits requests over gRPC is the same outcome", async () => {
  const { startCluster } = await import("./_provisioning.ts");
  await using cluster = await startCluster();
  cluster.service.setFault("busy");
  const failure = await failureOf(allocate({ provider: cluster.provider, deadline: 1000 }));
  expect(failure.outcome).toBe("quota");
  expect(failure.attempts).toBeGreaterThan(1);
});

test("Retry-After is seconds or a date, and anything else is nothing", () => {
  expect(millisecondsOf("2")).toBe(2000);
  expect(millisecondsOf("-2")).toBe(0);
  expect(millisecondsOf(new Date(Date.now() + 10_000).toUTCString())).toBeGreaterThan(8000);
  expect(millisecondsOf("Mon, 01 Jan 2001 00:00:00 GMT")).toBe(0);
  expect(["soon", "", " ", "Infinity", undefined].map(millisecondsOf)).toEqual(Array(5).fill(undefined));
});

test("an API that never answers costs the deadline, and leaves nothing open", async () => {
  await using cluster = await startKubernetesCluster();
  cluster.api.setFault("hang");
  const failure = await failureOf(allocate({ provider: cluster.provider, deadline: 300 }));
  expect(failure).toMatchObject({ outcome: "deadline", attempts: 1 });
  await cluster.api.waitFor(({ cancelled }) => cancelled() === 1);
  await cluster.nothingOpen();
});

test("a signal ends a call at once, and the API sees it go", async () => {
  await using cluster = await startKubernetesCluster();
  cluster.api.setFault("hang");
  const abort = new AbortController();
  const failed = failureOf(allocate({ provider: cluster.provider, signal: abort.signal }));
  await cluster.api.waitFor(({ tally }) => tally().Unanswered === 1);
  abort.abort();
  expect(await failed).toMatchObject({ outcome: "aborted", cause: { name: "AbortError" } });
  await cluster.api.waitFor(({ cancelled }) => cancelled() === 1);
  await cluster.nothingOpen();
});

test("an answer that breaks off is an outage: asked again", async () => {
  const sockets: Socket[] = [];
  const broken = createServer((socket) => {
    sockets.push(socket);
    socket.once("data", () => socket.end('HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{"status":'));
  }).listen(0, "127.0.0.1");
  await once(broken, "listening");
  const server = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`;
  await using cluster = await startKubernetesCluster();
  const provider = cluster.connect({ kubernetes: kubeConfigOf({ server, token: "any" }) });
  const failure = await failureOf(allocate({ provider, deadline: 600 }));
  expect(failure).toMatchObject({ outcome: "allocation_failed", cause: { name: "ApiError", status: undefined } });
  expect(failure.attempts).toBeGreaterThan(1);
  broken.close();
});

test("a host of two addresses that are both refused says so", async () => {
  const free = createServer().listen(0, "localhost");
  await once(free, "listening");
  const { port } = free.address() as AddressInfo;
  free.close();
  await using cluster = await startKubernetesCluster();
  const server = `http://localhost:${port}`;
  const provider = cluster.connect({ kubernetes: kubeConfigOf({ server, token: "any" }) });
  const failure = await failureOf(allocate({ provider, deadline: 300 }));
  expect(failure.message).toContain("ECONNREFUSED");
});

test("an API that is restarted in between is found again", async () => {
  await using cluster = await startKubernetesCluster(["Ready"]);
  await cluster.api.stop();
  const allocated = allocate({ provider: cluster.provider });
  await vi.waitFor(() => expect(cluster.recorded.named("provision.agones_allocate").length).toBeGreaterThan(0));
  await cluster.api.start();
  expect(await allocated).toMatchObject({ name: "arena-1", start: "warm" });
  expect(cluster.recorded.named("provision.agones_allocate")[0]!.attributes["error.type"]).toBe("unavailable");
});

test("allocates over TLS by the KubeConfig's authority, and refuses a stranger's at once", async () => {
  const authority = createAuthority("cluster");
  const tls = authority.issue("apiserver");
  await using cluster = await startKubernetesCluster(["Ready"], { tls, ca: authority.cert });
  expect(await allocate({ provider: cluster.provider })).toMatchObject({ name: "arena-1" });
  const stranger = cluster.connect({ kubernetes: kubeConfigOf(cluster.api, createAuthority("stranger").cert) });
  const failure = await failureOf(allocate({ provider: stranger }));
  expect(failure).toMatchObject({ outcome: "allocation_failed", attempts: 1 });
  expect(cluster.recorded.spans().some((span) => span.attributes["error.type"] === "tls_refused")).toBe(true);
});

test("a KubeConfig that knows no cluster, or throws, fails the allocation and nothing else", async () => {
  const none = { getCurrentCluster: () => null, applyToHTTPSOptions: async () => {} };
  const broken = {
    ...none,
    getCurrentCluster: () => ({ server: "https://c" }),
    applyToHTTPSOptions: async () => Promise.reject(new Error("no token")),
  };
  for (const [kubernetes, message] of [
    [none, "the KubeConfig has no current cluster"],
    [broken, "no token"],
  ] as const) {
    await using provider = agones({ kubernetes });
    const failure = await failureOf(allocate({ provider }));
    expect(failure).toMatchObject({ outcome: "allocation_failed", attempts: 1, cause: { message } });
  }
});

test.each([{}, { status: null }, [], "Allocated", { status: { state: "Ready" } }])(
  "an answer that is no allocation is none: %j",
  (answer) => {
    expect(answerOf(answer)).toMatchObject({ refusal: { outcome: "allocation_failed", again: false } });
  },
);

test("an allocation without what Go leaves out when it is empty is a server all the same", () => {
  expect(answerOf({ status: { state: "Allocated", gameServerName: "a" } })).toEqual({
    name: "a",
    address: "",
    port: undefined,
    ports: [],
    addresses: [],
    node: "",
    source: "",
    labels: {},
    annotations: {},
  });
});

test("kubernetes: true reads the default KubeConfig, and the program ends by itself", async () => {
  await using cluster = await startKubernetesCluster();
  const folder = mkdtempSync(join(tmpdir(), "kube-"));
  const file = join(folder, "config");
  writeFileSync(file, kubeConfigOf(cluster.api).exportConfig());
  const code = `import { agones, allocate } from ${JSON.stringify(backend)};
    const { name } = await allocate({ provider: agones({ kubernetes: true }) });
    console.log(name);`;
  const env = { ...process.env, KUBECONFIG: file };
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code], { env });
  rmSync(folder, { recursive: true });
  expect(stdout).toBe("arena-1\n");
});

test("without @kubernetes/client-node the error names what to install; a KubeConfig of one's own needs no package", async () => {
  await using cluster = await startKubernetesCluster();
  const { server, token } = cluster.api;
  const code = `
    import { registerHooks } from "node:module";
    registerHooks({
      resolve: (name, context, next) => next(name === "@kubernetes/client-node" ? "not-installed" : name, context),
    });
    const { agones, allocate } = await import("${backend}");
    await allocate({ provider: agones({ kubernetes: true }) }).catch((error) => console.log(error.outcome, error.message));
    const kubernetes = {
      getCurrentCluster: () => ({ server: "${server}" }),
      applyToHTTPSOptions: async (options) => void (options.headers.authorization = "Bearer ${token}"),
    };
    console.log((await allocate({ provider: agones({ kubernetes }) })).name);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code]);
  expect(stdout).toContain("allocation_failed no server after one call");
  expect(stdout).toContain("needs a package: npm install @kubernetes/client-node");
  expect(stdout).toContain("arena-1");
});

test("a slow answer is waited for", async () => {
  await using cluster = await startKubernetesCluster();
  cluster.api.setFault("slow");
  expect(await allocate({ provider: cluster.provider })).toMatchObject({ attempts: 1 });
  expect(durationOf(cluster.recorded.one("provision.agones_allocate"))).toBeGreaterThan(250);
});
