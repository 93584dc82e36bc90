import { allocate } from "colyseus-otel/backend";
import { expect, test } from "vitest";
import { createAuthority } from "./_certificates.ts";
import { failureOf, startCluster } from "./_provisioning.ts";

const authority = createAuthority("agones");
const stranger = createAuthority("stranger");
const service = authority.issue("allocator");
const client = authority.issue("matchmaker");
const mutual = { tls: { ...service, clientCa: authority.cert } };

test("allocates over mutual TLS", async () => {
  await using cluster = await startCluster(["Ready"], mutual, { tls: { ca: authority.cert, ...client } });
  expect(await allocate({ provider: cluster.provider })).toMatchObject({ name: "arena-1", attempts: 1 });
});

test("allocates over TLS without a client's certificate, by another name", async () => {
  const options = { tls: { ca: Buffer.from(authority.cert), serverName: "localhost" } };
  await using cluster = await startCluster(["Ready"], { tls: service }, options);
  expect(await allocate({ provider: cluster.provider })).toMatchObject({ name: "arena-1" });
});

test.each([
  ["a service that no authority of ours vouches for", { tls: service }, { ca: stranger.cert }],
  ["a service that Node's authorities do not know", { tls: service }, {}],
  ["a service under another name", { tls: service }, { ca: authority.cert, serverName: "elsewhere" }],
  ["a service that wants the client's certificate", mutual, { ca: authority.cert }],
  ["a service that speaks no TLS", {}, { ca: authority.cert }],
])("%s is refused at once, and leaves nothing open", async (_, serving, tls) => {
  await using cluster = await startCluster(["Ready"], serving, { tls });
  const failure = await failureOf(allocate({ provider: cluster.provider }));
  expect(failure).toMatchObject({ outcome: "allocation_failed", attempts: 1 });
  const { attributes, status } = cluster.recorded.one("provision.agones_allocate");
  expect([attributes["error.type"], status.code]).toEqual(["tls_refused", 2]);
  expect(cluster.service.requests).toEqual([]);
  await cluster.nothingOpen();
});

test.each([
  ["a client's certificate of a stranger", mutual, { ca: authority.cert, ...stranger.issue("matchmaker") }],
  ["plaintext to a service that speaks TLS", { tls: service }, undefined],
])("%s is hung up on without a word: it looks like an outage, until the deadline", async (_, serving, tls) => {
  await using cluster = await startCluster(["Ready"], serving, tls && { tls });
  const failure = await failureOf(allocate({ provider: cluster.provider, deadline: 300 }));
  expect(failure.outcome).toBe("allocation_failed");
  expect(cluster.service.requests).toEqual([]);
  await cluster.nothingOpen();
});
