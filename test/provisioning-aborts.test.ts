import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { allocate } from "colyseus-otel/backend";
import { afterEach, expect, test, vi } from "vitest";
import { failureOf, startCluster, type Cluster } from "./_provisioning.ts";
import { until } from "./_server.ts";
import { spanTree } from "./_telemetry.ts";

afterEach(() => vi.restoreAllMocks());

test("a signal that was aborted before asks nobody", async () => {
  await using cluster = await startCluster();
  const reason = new Error("the players left");
  const failure = await failureOf(allocate({ provider: cluster.provider, signal: AbortSignal.abort(reason) }));
  expect(failure).toMatchObject({ outcome: "aborted", attempts: 0, cause: reason });
  expect(cluster.service.requests).toEqual([]);
  expect(spanTree(cluster.recorded.spans())).toBe("provision.allocate_server  error.type=aborted");
});

test.each<[string, (cluster: Cluster) => Promise<unknown>]>([
  ["while the service thinks", ({ service }) => service.waitFor(() => service.tally().Unanswered === 1)],
  ["in the pause between calls", ({ recorded }) => until("three answers", () => recorded.spans().length === 3)],
  ["while gRPC is being loaded or connected", async () => {}],
])("a signal that is aborted %s ends the wait at once", async (stage, reached) => {
  await using cluster = await startCluster(["Scheduled"]);
  cluster.service.setFault(stage.includes("thinks") ? "hang" : undefined);
  const abort = new AbortController();
  const failed = failureOf(allocate({ provider: cluster.provider, signal: abort.signal }));
  await reached(cluster);
  const aborted = performance.now();
  abort.abort();
  const failure = await failed;
  expect(performance.now() - aborted).toBeLessThan(100);
  expect(failure).toMatchObject({ outcome: "aborted", cause: { name: "AbortError" } });
  expect(cluster.recorded.one("provision.allocate_server").status.code).toBe(0);
  await cluster.provider.close();
  await cluster.nothingOpen();
});

test("a peer that accepts and never speaks is given up at the signal", async () => {
  const silent = createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const endpoint = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  await using cluster = await startCluster();
  const connected = once(silent, "connection");
  const abort = new AbortController();
  const failed = failureOf(allocate({ provider: cluster.connect({ endpoint }), signal: abort.signal }));
  const [socket] = (await connected) as [Socket];
  abort.abort();
  expect((await failed).outcome).toBe("aborted");
  // grpc-js leaves the connection to the peer.
  socket.destroy();
  silent.close();
});

test("one that is aborted does not disturb those that wait for the same connection", async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket.resume())).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const endpoint = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  await using cluster = await startCluster();
  const provider = cluster.connect({ endpoint });
  const abort = new AbortController();
  const waiting = failureOf(allocate({ provider, deadline: 1000 }));
  const failed = failureOf(allocate({ provider, signal: abort.signal }));
  await until("the connection", () => sockets.length === 1);
  abort.abort();
  await failed;
  expect(await waiting).toMatchObject({ outcome: "deadline", attempts: 1 });
  sockets.forEach((socket) => socket.destroy());
  silent.close();
});

test("an allocation lets go of its signal", async () => {
  await using cluster = await startCluster(["Ready", "Scheduled"]);
  const { signal } = new AbortController();
  const [added, removed] = [vi.spyOn(signal, "addEventListener"), vi.spyOn(signal, "removeEventListener")];
  await allocate({ provider: cluster.provider, signal });
  await failureOf(allocate({ provider: cluster.provider, signal, deadline: 100 }));
  expect(added.mock.calls.length).toBe(2);
  expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(added.mock.calls.map(([, listener]) => listener));
});

test("closing the provider ends what is under way as aborted, and its connection", async () => {
  await using cluster = await startCluster();
  const { service, provider } = cluster;
  await allocate({ provider });
  expect(cluster.connections()).toBe(1);
  service.setFault("hang");
  const failed = failureOf(allocate({ provider }));
  await service.waitFor(() => service.tally().Unanswered === 1);
  await provider.close();
  expect(cluster.openSpans()).toBe(0);
  await cluster.nothingOpen();
  expect(await failed).toMatchObject({ outcome: "aborted", cause: { message: "the provider agones was closed" } });
  expect((await failureOf(allocate({ provider }))).outcome).toBe("aborted");
  await provider.close();
});
