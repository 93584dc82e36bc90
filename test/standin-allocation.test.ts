import type { ServiceError } from "@grpc/grpc-js";
import { credentials, makeClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterEach, expect, test } from "vitest";
import { startSidecar } from "../standins/agones-sidecar.ts";
import type { AllocationService } from "../standins/allocation-service.ts";
import { startAllocationService } from "../standins/allocation-service.ts";
import { createAuthority } from "./_certificates.ts";

test("allocates the first server that is Ready, and writes the metadata to it", async () => {
  await using busy = await startSidecar({ state: "Allocated", name: "arena-1" });
  await using ready = await startSidecar({ state: "Ready", name: "arena-2" });
  await using service = await startAllocationService();
  service.register(busy);
  service.register(ready, { port: 2567, node: "node-7" });

  const metadata = { labels: { mode: "ctf" }, annotations: { traceparent: "00-a-b-01" } };
  expect(await ask(service, { namespace: "default", metadata })).toMatchObject({
    gameServerName: "arena-2",
    address: "127.0.0.1",
    ports: [{ name: "default", port: 2567 }],
    addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
    nodeName: "node-7",
    source: "local",
    metadata: { labels: { mode: "ctf", "agones.dev/fleet": "arena" }, annotations: { traceparent: "00-a-b-01" } },
  });
  expect(ready.state()).toBe("Allocated");
  expect(ready.gameServer().annotations).toHaveProperty("agones.dev/last-allocated");
});

test("answers RESOURCE_EXHAUSTED when nothing is Ready, in the allocator's words", async () => {
  await using sidecar = await startSidecar({ state: "RequestReady" });
  await using service = await startAllocationService();
  service.register(sidecar);
  expect(await refusalOf(service, { namespace: "default" })).toMatchObject({
    code: 8,
    details: "there is no available GameServer to allocate",
  });
  sidecar.setState("Ready");
  expect(await refusalOf(service, { namespace: "elsewhere" })).toMatchObject({ code: 8 });
  await ask(service, { namespace: "default" });
  expect(await refusalOf(service, { namespace: "default" })).toMatchObject({ code: 8 });
  expect(service.tally()).toEqual({ Allocated: 1, UnAllocated: 3, Contention: 0, Quota: 0, Refused: 0, Unanswered: 0 });
});

test("goes by the selectors in their order, Allocated servers only where one says so", async () => {
  await using duel = await startSidecar({ state: "Ready", name: "duel", fleet: "duels" });
  await using arena = await startSidecar({ state: "Allocated", name: "arena" });
  await using service = await startAllocationService();
  service.register(duel);
  service.register(arena);
  const ofFleet = (fleet: string, gameServerState: string) => ({
    matchLabels: { "agones.dev/fleet": fleet },
    gameServerState,
  });
  const wanted = (...gameServerSelectors: object[]) => ({ namespace: "default", gameServerSelectors });
  expect(await ask(service, wanted(ofFleet("arena", "READY"), ofFleet("duels", "READY")))).toMatchObject({
    gameServerName: "duel",
  });
  expect(await refusalOf(service, wanted(ofFleet("arena", "READY")))).toMatchObject({ code: 8 });
  expect(await ask(service, wanted(ofFleet("arena", "ALLOCATED")))).toMatchObject({ gameServerName: "arena" });
});

test("fails on command, and counts how", async () => {
  await using sidecar = await startSidecar({ state: "Ready" });
  await using service = await startAllocationService();
  service.register(sidecar);
  service.setFault("refuse");
  expect(await refusalOf(service, { namespace: "default" })).toMatchObject({ code: 7 });
  service.setFault("contention");
  expect(await refusalOf(service, { namespace: "default" })).toMatchObject({ code: 10 });
  service.setFault("empty");
  expect(await ask(service, { namespace: "default" })).toEqual({ ...EMPTY, gameServerName: "" });
  service.setFault(({ namespace }) => (namespace === "default" ? "mute" : "hang"));
  expect(await refusalOf(service, { namespace: "other" }, 50)).toMatchObject({ code: 4 });
  expect(sidecar.state()).toBe("Ready");
  expect(await refusalOf(service, { namespace: "default" }, 50)).toMatchObject({ code: 4 });
  expect(sidecar.state()).toBe("Allocated");
  await service.waitFor(({ cancelled }) => cancelled() === 2);
  expect(service.tally()).toEqual({ Allocated: 0, UnAllocated: 1, Contention: 1, Quota: 0, Refused: 1, Unanswered: 2 });
});

test("comes back on its port with its servers and its tally", async () => {
  await using sidecar = await startSidecar({ state: "Ready" });
  await using service = await startAllocationService();
  service.register(sidecar);
  await service.stop();
  expect(await refusalOf(service, { namespace: "default" })).toMatchObject({ code: 14 });
  await service.start();
  expect(await ask(service, { namespace: "default" })).toMatchObject({ source: "local" });
  expect(service.tally().Allocated).toBe(1);
});

test("wants a client's certificate where it has an authority for them", async () => {
  const authority = createAuthority("agones");
  const tls = { ...authority.issue("allocator"), clientCa: authority.cert };
  await using service = await startAllocationService({ tls });
  const { cert, key } = authority.issue("matchmaker");
  const [ca, clientKey, clientCert] = [authority.cert, key, cert].map((part) => Buffer.from(part));
  const known = credentials.createSsl(ca, clientKey, clientCert);
  expect(await refusalOf(service, { namespace: "default" }, 5000, known)).toMatchObject({ code: 8 });
  expect(await refusalOf(service, { namespace: "default" }, 5000, credentials.createSsl(ca))).toMatchObject({
    code: 14,
  });
});

test("says which port it could not have, and what a failed wait was for", async () => {
  await using service = await startAllocationService();
  await expect(startAllocationService({ port: service.port })).rejects.toThrow(String(service.port));
  await expect(service.waitFor(() => false, 20, "a miracle")).rejects.toThrow(
    'while waiting for a miracle; seen: {"Allocated":0,',
  );
});

const EMPTY = { ports: [], address: "", addresses: [], nodeName: "", source: "", metadata: null };
const open: { close(): void }[] = [];

afterEach(() => {
  for (const client of open.splice(0)) client.close();
});

const definition = loadSync(new URL("../standins/allocation.proto", import.meta.url).pathname, { defaults: true });
const Client = makeClientConstructor(
  definition["allocation.AllocationService"] as Parameters<typeof makeClientConstructor>[0],
  "AllocationService",
);

function ask(
  { endpoint }: AllocationService,
  request: object,
  timeout = 5000,
  security = credentials.createInsecure(),
): Promise<object> {
  const client = new Client(endpoint, security, { "grpc.use_local_subchannel_pool": 1 });
  open.push(client);
  const { promise, resolve, reject } = Promise.withResolvers<object>();
  client["Allocate"]!(request, { deadline: Date.now() + timeout }, (error: ServiceError | null, response: object) =>
    error ? reject(error) : resolve(response),
  );
  return promise;
}

function refusalOf(...asked: Parameters<typeof ask>): Promise<unknown> {
  return ask(...asked).then(
    () => "no refusal",
    (error: unknown) => error,
  );
}
