import { spawn } from "node:child_process";
import { once } from "node:events";
import { allocate } from "colyseus-otel/backend";
import { afterEach, expect, test, vi } from "vitest";
import { refusedBy } from "../src/backend/agones/answer.ts";
import { failureOf, startCluster } from "./_provisioning.ts";
import { until } from "./_server.ts";
import { durationOf, spanTree } from "./_telemetry.ts";

afterEach(() => vi.restoreAllMocks());

test("while no server is Ready it asks again, until one is", async () => {
  await using cluster = await startCluster(["Scheduled"]);
  const { service, servers, provider, recorded } = cluster;
  const allocated = allocate({ provider });
  await service.waitFor(() => service.tally().UnAllocated === 2);
  servers[0]!.setState("Ready");
  expect(await allocated).toMatchObject({ name: "arena-1", attempts: 3 });
  expect(spanTree(recorded.spans())).toMatchInlineSnapshot(`
    "provision.allocate_server
      provision.agones_allocate  error.type=unallocated
      provision.wait_for_ready
      provision.agones_allocate  error.type=unallocated
      provision.agones_allocate"
  `);
  expect(recorded.named("provision.agones_allocate").map((span) => span.attributes["agones.state"])).toEqual([
    "UnAllocated",
    "UnAllocated",
    "Allocated",
  ]);
  // The trace goes on from the call that had the server.
  const traceparent = servers[0]!.gameServer().annotations["traceparent"]!;
  expect(traceparent).toContain(recorded.named("provision.agones_allocate")[2]!.spanContext().spanId);
});

test("the pauses between calls double, and half of each is chance", async () => {
  await using cluster = await startCluster([]);
  // No such chance, but with it only lower bounds are needed: a busy machine is never too fast.
  vi.spyOn(Math, "random").mockReturnValue(2);
  const { service, provider, recorded } = cluster;
  const abort = new AbortController();
  const failed = failureOf(allocate({ provider, signal: abort.signal }));
  await service.waitFor(() => service.tally().UnAllocated === 4);
  abort.abort();
  await failed;
  const calls = recorded.named("provision.agones_allocate").map(({ startTime: [s, ns] }) => s * 1000 + ns / 1e6);
  const pauses = calls.slice(1).map((at, index) => at - calls[index]!);
  [150, 300, 600].forEach((pause, index) => expect(pauses[index]).toBeGreaterThan(pause - 2));
});

test("no server turns Ready inside the deadline", async () => {
  await using cluster = await startCluster(["Scheduled"]);
  const failure = await failureOf(allocate({ provider: cluster.provider, deadline: 600 }));
  expect(failure).toMatchObject({ name: "AllocationError", outcome: "ready_timeout" });
  expect(failure.message).toMatch(/^no server after \d calls in 0\.\d s, last: there is no available GameServer/);
  expect(failure.attempts).toBe(cluster.recorded.named("provision.agones_allocate").length);
  expect(failure.cause).toMatchObject({ code: 8 });
  expect(durationOf(cluster.recorded.one("provision.allocate_server"))).toBeLessThan(700);
  expect(cluster.recorded.one("provision.allocate_server").status).toEqual({ code: 2, message: failure.message });
});

test("an empty answer is no server: http-unallocated-status-code may be 200", async () => {
  await using cluster = await startCluster();
  cluster.service.setFault("empty");
  const failure = await failureOf(allocate({ provider: cluster.provider, deadline: 1000 }));
  expect(failure).toMatchObject({ outcome: "ready_timeout" });
});

test("that none is Ready is known by its words, in whatever code", () => {
  const details = "there is no available GameServer to allocate";
  for (const code of [8, 14, 5]) {
    const refusal = { state: "UnAllocated", outcome: "ready_timeout", again: true };
    expect(refusedBy({ code, details })).toMatchObject({ refusal });
  }
});

test("a server that somebody else changed meanwhile is contention", () => {
  const error = { code: 2, details: "could not update the selected GameServer: conflict" };
  expect(refusedBy(error)).toMatchObject({ refusal: { state: "Contention", again: true } });
});

test("too many at once, until the deadline", async () => {
  await using cluster = await startCluster();
  cluster.service.setFault("contention");
  const failure = await failureOf(allocate({ provider: cluster.provider, deadline: 1000 }));
  expect(failure.outcome).toBe("contention");
  expect(failure.attempts).toBeGreaterThan(1);
  expect(cluster.recorded.named("provision.agones_allocate")[0]!.attributes).toMatchObject({
    "agones.state": "Contention",
    "error.type": "contention",
  });
});

test("what the service refuses is not asked for again", async () => {
  await using cluster = await startCluster();
  cluster.service.setFault("refuse");
  const failure = await failureOf(allocate({ provider: cluster.provider }));
  expect(failure).toMatchObject({ outcome: "allocation_failed", attempts: 1, cause: { code: 7 } });
  expect(spanTree(cluster.recorded.spans())).toMatchInlineSnapshot(`
    "provision.allocate_server  ERROR  error.type=allocation_failed
      provision.agones_allocate  ERROR  error.type=refused"
  `);
});

test("a service that never answers costs the deadline, and leaves nothing open", async () => {
  await using cluster = await startCluster();
  cluster.service.setFault("hang");
  const began = performance.now();
  const failure = await failureOf(allocate({ provider: cluster.provider, deadline: 200 }));
  expect(performance.now() - began).toBeLessThan(1000);
  expect(failure).toMatchObject({ outcome: "deadline", attempts: 1, cause: { code: 4 } });
  await cluster.service.waitFor(({ cancelled }) => cancelled() === 1);
  await cluster.nothingOpen();
});

test("a service whose own time for a call is over is asked again, while there is time", async () => {
  await using cluster = await startCluster();
  cluster.service.setFault(() => (cluster.service.requests.length === 1 ? "late" : undefined));
  expect(await allocate({ provider: cluster.provider })).toMatchObject({ attempts: 2, start: "warm" });
});

test("a service that is hung after it said that none is Ready: none was Ready", async () => {
  await using cluster = await startCluster(["Scheduled"]);
  cluster.service.setFault(() => (cluster.service.tally().UnAllocated === 1 ? "hang" : undefined));
  const failure = await failureOf(allocate({ provider: cluster.provider, deadline: 1000 }));
  expect(failure).toMatchObject({ outcome: "ready_timeout", attempts: 2 });
});

test("nobody listens at the endpoint: it tries until the deadline, and leaves nothing open", async () => {
  await using cluster = await startCluster();
  await cluster.service.stop();
  const failure = await failureOf(allocate({ provider: cluster.provider, deadline: 1000 }));
  expect(failure.outcome).toBe("allocation_failed");
  expect(failure.attempts).toBeGreaterThan(1);
  expect(cluster.recorded.named("provision.agones_allocate")[0]!.attributes["error.type"]).toBe("unavailable");
  await cluster.nothingOpen();
});

test("a service that is restarted in between is found again within moments", async () => {
  await using cluster = await startCluster(["Ready", "Ready", "Ready"]);
  const { service, provider } = cluster;
  await allocate({ provider });
  await service.stop();
  await service.start();
  expect(await allocate({ provider })).toMatchObject({ name: "arena-2" });
  await service.stop();
  const allocated = allocate({ provider });
  const refused = () => cluster.recorded.spans().some((span) => span.attributes["error.type"] === "unavailable");
  await until("a call that found nobody", refused);
  await service.start();
  expect(await allocated).toMatchObject({ name: "arena-3" });
});

test("a service that dies between request and answer: the next call takes another server, and both are in the trace", async () => {
  await using cluster = await startCluster(["Ready", "Ready"]);
  const { service, provider, servers, recorded } = cluster;
  service.setFault("mute");
  const allocated = allocate({ provider });
  await service.waitFor(() => service.tally().Unanswered === 1);
  service.setFault();
  await service.stop();
  await service.start();
  const server = await allocated;
  expect([server.name, servers[0]!.state()]).toEqual(["arena-2", "Allocated"]);
  const [lost] = recorded.named("provision.agones_allocate");
  expect(lost!.attributes["error.type"]).toBe("unavailable");
  expect(servers[0]!.gameServer().annotations["traceparent"]).toContain(lost!.spanContext().spanId);
});

test("the matchmaker is killed between allocation and answer: the service sees it go, and serves the next", async () => {
  await using cluster = await startCluster(["Ready", "Ready"]);
  const { service, servers } = cluster;
  service.setFault("mute");
  const backend = new URL("../src/backend.ts", import.meta.url).href;
  const code = `import { agones, allocate } from ${JSON.stringify(backend)};
    await allocate({ provider: agones({ endpoint: "${service.endpoint}" }) });`;
  const matchmaker = spawn(process.execPath, ["--input-type=module", "--eval", code], { stdio: "inherit" });
  await service.waitFor(() => service.tally().Unanswered === 1);
  matchmaker.kill("SIGKILL");
  await once(matchmaker, "exit");
  await service.waitFor(({ cancelled }) => cancelled() === 1);
  expect(servers[0]!.state()).toBe("Allocated");
  service.setFault();
  expect(await allocate({ provider: cluster.provider })).toMatchObject({ name: "arena-2" });
});

test("a program ends by itself while its provider is idle", async () => {
  await using cluster = await startCluster();
  const backend = new URL("../src/backend.ts", import.meta.url).href;
  const code = `import { agones, allocate } from ${JSON.stringify(backend)};
    await allocate({ provider: agones({ endpoint: "${cluster.service.endpoint}" }) });`;
  const matchmaker = spawn(process.execPath, ["--input-type=module", "--eval", code], { stdio: "inherit" });
  expect(await once(matchmaker, "exit")).toEqual([0, null]);
});

test("calls at the same time share one connection, also when one of them fails", async () => {
  await using cluster = await startCluster(Array.from({ length: 5 }, () => "Ready" as const));
  const { service, provider } = cluster;
  service.setFault(({ metadata }) => (metadata?.labels["slow"] ? "hang" : undefined));
  const slow = failureOf(allocate({ provider, labels: { slow: "yes" }, deadline: 300 }));
  await service.waitFor(() => service.tally().Unanswered === 1);
  const servers = await Promise.all(Array.from({ length: 5 }, () => allocate({ provider })));
  expect(new Set(servers.map(({ name }) => name)).size).toBe(5);
  expect(cluster.connections()).toBe(1);
  expect((await slow).outcome).toBe("deadline");
  await cluster.nothingOpen();
});
