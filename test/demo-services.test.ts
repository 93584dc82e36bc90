import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { expect, onTestFinished, test } from "vitest";
import { startReceiver } from "../demo/receiver/receiver.ts";
import { connectServices } from "../demo/services/client.ts";
import { serveBackend } from "../demo/services/http.ts";
import { allocatorOnAgones } from "../demo/services/allocators.ts";
import { openBackend } from "../demo/services/backend.ts";
import { startTracing } from "../demo/services/tracing.ts";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { startAllocationService } from "../standins/allocation-service.ts";

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

const ADA = { player: "ada", version: "1.4.2", platform: "linux" };

async function startServices({ allocates = true, reuse = false } = {}) {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const receiver = stack.use(await startReceiver());
  const allocation = stack.use(await startAllocationService());
  const sidecar = stack.use(await startSidecar({ state: "Ready" }));
  allocation.register(sidecar, { port: 7001 });
  const tracing = stack.use(startTracing(receiver.endpoint));
  const allocator = allocates ? stack.use(allocatorOnAgones(allocation.endpoint, tracing)) : undefined;
  const backend = openBackend(tracing, allocator, reuse);
  const { url } = stack.use(await serveBackend(backend));
  const names = async () => {
    expect(await tracing.flush()).toBeUndefined();
    return receiver.spans.map(({ name }) => name);
  };
  const named = (wanted: string) => receiver.spans.filter(({ name }) => name === wanted);
  return { url, allocation, sidecar, names, named, ...connectServices(url, new AbortController().signal) };
}

test("the first player's match is allocated, and the others go where they play", async () => {
  const { login, match, allocation } = await startServices();
  const { server } = await match(await login(ADA));
  expect(server).toEqual({ name: "arena-7xk2p", url: "ws://127.0.0.1:7001", attempts: 1 });
  expect(await match(await login({ ...ADA, player: "bob" }))).toEqual({ server });
  expect(allocation.tally()).toMatchObject({ Allocated: 1, UnAllocated: 0 });
});

test("where servers come back, every match is allocated, and one that finds none has no server's name", async () => {
  const { login, match, allocation, sidecar, names, named } = await startServices({ reuse: true });
  const first = await match(await login(ADA));
  sidecar.setState("Ready");
  expect(await match(await login({ ...ADA, player: "bob" }))).toEqual(first);
  expect(allocation.tally()).toMatchObject({ Allocated: 2 });
  allocation.setFault("refuse");
  await expect(match(await login({ ...ADA, player: "kim" }))).rejects.toThrow("503");
  await expect.poll(names).toContain("session.phase.matchmaking");
  const phases = named("session.phase.matchmaking").map(({ attributes }) => attributes["lobby.id"]);
  expect(phases).toEqual(["arena-7xk2p", "arena-7xk2p", undefined]);
});

test("a refused allocation is 503 in the allocator's words, and the player may ask again", async () => {
  const { login, match, allocation, names, named } = await startServices();
  const pass = await login(ADA);
  allocation.setFault("refuse");
  await expect(match(pass)).rejects.toThrow(/^POST \/match: 503, no server after one call .*told to refuse/);
  allocation.setFault();
  expect((await match(pass)).server?.name).toBe("arena-7xk2p");
  expect((await names()).filter((name) => name.startsWith("session.phase."))).toHaveLength(3);
  const phases = named("session.phase.matchmaking").map(({ attributes }) => attributes["lobby.id"]);
  expect(new Set(phases)).toEqual(new Set([undefined, "arena-7xk2p"]));
});

test("a player who goes while waiting ends the allocation", async () => {
  const { url, login, allocation, names, named } = await startServices();
  const pass = await login(ADA);
  allocation.setFault("hang");
  const gone = new AbortController();
  const waiting = connectServices(url, gone.signal).match(pass);
  await allocation.waitFor(({ requests }) => requests.length === 1);
  gone.abort(new Error("went to bed"));
  await expect(waiting).rejects.toThrow("went to bed");
  await allocation.waitFor((service) => service.cancelled() === 1);
  await expect.poll(names).toContain("provision.allocate_server");
  expect(named("provision.allocate_server")[0]!.attributes["error.type"]).toBe("aborted");
});

test("who plays from the lobby has one end, told at the logout, with the matches that were found", async () => {
  const { login, match, logout, names, named } = await startServices();
  const pass = await login({ ...ADA, lobby: true });
  await match(pass);
  await match(pass);
  await logout(pass);
  await logout(pass);
  expect((await names()).filter((name) => name.startsWith("session."))).toEqual([
    "session.started",
    "session.phase.login",
    "session.lifecycle",
  ]);
  expect(named("session.lifecycle")[0]!.attributes).toMatchObject({
    "player.id": "ada",
    "session.end_reason": "logout",
    "session.matches_played": 2,
  });
});

test("who goes straight to the arena is no longer known here, and has no end here", async () => {
  const { login, match, logout, names } = await startServices();
  const pass = await login(ADA);
  await match(pass);
  await logout(pass);
  expect(await names()).not.toContain("session.lifecycle");
});

test("without an allocation service nobody is sent anywhere", async () => {
  const { login, match } = await startServices({ allocates: false });
  expect(await match(await login(ADA))).toEqual({});
});

test.each([
  ["/match", JSON.stringify({ ticket: "forged.ticket" }), 401, "ticket signature is wrong"],
  ["/login", "{", 400, "JSON"],
  ["/login", "{}", 400, "startSession.playerId must be a string that is not empty, got undefined"],
  ["/logout", "{}", 401, "ticket missing"],
  ["/lobby", "{}", 404, "nothing answers POST /lobby"],
])("POST %s with %s is %i", async (path, body, status, error) => {
  const { url } = await startServices();
  const response = await fetch(`${url}${path}`, { method: "POST", body });
  expect([response.status, await response.json()]).toEqual([status, { error: expect.stringContaining(error) }]);
});
