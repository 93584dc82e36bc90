import { once } from "node:events";
import { Agent } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import type { ClientUnaryCall } from "@grpc/grpc-js";
import { credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { Sidecar } from "../standins/agones-sidecar.ts";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { emptyMessage } from "../standins/game-server-message.ts";
import { sdkService } from "../standins/sidecar-service.ts";
import { arrived, watching, type Sdk } from "./_official-sdk.ts";
import { call, watchHttp } from "./_sidecar-http.ts";

test("comes back on the same ports with the same GameServer, and drops every connection meanwhile", async () => {
  await using sidecar = await startSidecar({ state: "Ready" });
  const { sdk, errors } = await watching(sidecar);
  using http = await watchHttp(sidecar);
  const { uid } = sidecar.allocate({ annotations: { traceparent: "one" } });

  sidecar.stop();
  await arrived(() => errors.length > 0 && http.ended() === "error");
  await expect(call(sidecar, "GET", "/gameserver")).rejects.toThrow("ECONNREFUSED");
  await expect(connectedTo(sidecar.port)).rejects.toThrow("ECONNREFUSED");
  const away = sidecar.allocate({ annotations: { traceparent: "two" } });
  await sidecar.start();

  await answers(sdk);
  using again = await watchHttp(sidecar);
  await arrived(() => again.chunks.length === 1);
  expect(again.chunks[0]?.result).toMatchObject({
    object_meta: { uid, annotations: away.annotations, resource_version: String(away.resourceVersion) },
  });
});

test("loses with a restart what its queue held, and hangs no more", async () => {
  await using sidecar = await startSidecar({ rateLimit: 1_500 });
  await call(sidecar, "POST", "/ready", {});
  sidecar.faults.hang();
  const given = call(sidecar, "POST", "/ready", {});
  await Promise.all([expect(given).rejects.toThrow(), sidecar.restart()]);

  await call(sidecar, "PUT", "/metadata/label", { key: "mode", value: "ctf" });
  await sidecar.waitFor((server) => server.labels["agones.dev/sdk-mode"] === "ctf");
  expect(sidecar.state()).toBe("Scheduled");
  expect(sidecar.gameServer().resourceVersion).toBe(2);
});

test("hangs: takes requests, counts and answers nothing, and serves those that still wait when it resumes", async () => {
  await using sidecar = await startSidecar({ readyDelay: 60_000 });
  const { sdk, states } = await watching(sidecar);
  sidecar.faults.hang();
  let answered = 0;
  const waiting = [sdk.ready(), call(sidecar, "PUT", "/metadata/label", { key: "a" })].map((answer) =>
    answer.then(() => answered++),
  );
  sdk.health();
  const givenUp = new Agent();
  const lost = call(sidecar, "POST", "/health", {}, givenUp);
  const lostWatch = call(sidecar, "GET", "/watch/gameserver", undefined, givenUp);
  using raw = rawClient(sidecar);
  const lostAllocate = raw.call("allocate");
  const gone = [lost, lostWatch].map((answer) => expect(answer).rejects.toThrow());
  await arrived(() => sidecar.faults.held() === 6);
  givenUp.destroy();
  lostAllocate.cancel();
  await Promise.all(gone);
  // On the same connection: what is held last comes after the end of the others.
  raw.call("getGameServer");
  await arrived(() => sidecar.faults.held() === 7);
  sidecar.setState("Ready");

  expect(sidecar.calls).toEqual({ watchGameServer: 1 });
  expect(sidecar.pings).toEqual([]);
  expect([answered, states]).toEqual([0, ["Scheduled"]]);

  sidecar.faults.resume();
  await Promise.all(waiting);
  await arrived(() => states.length === 4);
  expect(states.slice(0, 2)).toEqual(["Scheduled", "Ready"]);
  expect(sidecar.calls).toEqual({ watchGameServer: 1, ready: 1, setLabel: 1, health: 1, getGameServer: 1 });
});

test("is slow: every answer and every message of a watch comes late and in order", async () => {
  await using sidecar = await startSidecar();
  const { sdk, states } = await watching(sidecar);
  using http = await watchHttp(sidecar);
  await arrived(() => http.chunks.length === 1);
  sidecar.faults.slow(200);
  const began = performance.now();
  const answers = [sdk.getGameServer(), sdk.ready(), call(sidecar, "POST", "/health", {})];
  await Promise.all(answers.map((answer) => answer.then(() => expect(since(began)).toBeGreaterThan(190))));

  const changed = performance.now();
  sidecar.setState("Ready");
  sidecar.faults.slow(0);
  sidecar.setState("Allocated");
  await arrived(() => states.at(-1) === "Allocated" && http.chunks.length === states.length);
  expect(since(changed)).toBeGreaterThan(190);
  expect(states.slice(-2)).toEqual(["Ready", "Allocated"]);
  expect(http.chunks.map((chunk) => chunk.result?.status.state)).toEqual(states);
});

test("goes away: gives up every connection, and takes new ones", async () => {
  await using sidecar = await startSidecar();
  const { sdk, errors } = await watching(sidecar);
  using http = await watchHttp(sidecar);
  const agent = new Agent({ keepAlive: true });
  await call(sidecar, "GET", "/gameserver", undefined, agent);
  const [kept] = Object.values(agent.freeSockets).flat();
  const session = connectHttp2(`http://127.0.0.1:${sidecar.port}`);
  await once(session, "connect");
  const told = once(session, "goaway");

  sidecar.faults.goaway();
  await arrived(() => errors.length > 0 && http.ended() !== undefined && kept?.destroyed === true && session.closed);
  await told;
  await answers(sdk);
  expect((await call(sidecar, "GET", "/gameserver", undefined, agent)).status).toBe(200);
  agent.destroy();
});

test("ends the watches without an error", async () => {
  await using sidecar = await startSidecar();
  const { errors, ended } = await watching(sidecar);
  using http = await watchHttp(sidecar);

  sidecar.faults.endWatches();
  await arrived(() => ended() && http.ended() === "end");
  expect(errors).toEqual([]);
  expect(http.chunks).toHaveLength(1);
});

test("breaks the watches with UNAVAILABLE, and their connections stay", async () => {
  await using sidecar = await startSidecar();
  const { sdk, errors } = await watching(sidecar);
  using http = await watchHttp(sidecar);

  sidecar.faults.breakWatches();
  await arrived(() => errors.length > 0 && http.ended() === "end");
  expect(errors).toMatchObject([{ code: 14 }]);
  expect(http.chunks.at(-1)).toMatchObject({ error: { code: 14, details: [] } });
  await sdk.getGameServer();
});

test("loses as many updates as it is told, and no first message", async () => {
  await using sidecar = await startSidecar();
  const { states } = await watching(sidecar);
  sidecar.faults.loseMessages(2);
  using http = await watchHttp(sidecar);
  for (const state of ["RequestReady", "Ready", "Allocated"] as const) sidecar.setState(state);

  await arrived(() => states.length === 2 && http.chunks.length === 2);
  expect(states).toEqual(["Scheduled", "Allocated"]);
});

test("repeats each message until it is told to stop", async () => {
  await using sidecar = await startSidecar();
  const { states } = await watching(sidecar);
  sidecar.faults.repeatMessages(true);
  using http = await watchHttp(sidecar);
  sidecar.setState("Ready");
  sidecar.faults.repeatMessages(false);
  sidecar.setState("Allocated");

  await arrived(() => states.length === 4 && http.chunks.length === 5);
  expect(states).toEqual(["Scheduled", "Ready", "Ready", "Allocated"]);
});

test.each(["grpc", "http"] as const)(
  "races the subscription over %s: the update in between is not sent",
  async (way) => {
    await using sidecar = await startSidecar({ state: "Ready" });
    sidecar.faults.raceSubscribe(() => sidecar.allocate());
    const states = await statesOver(way, sidecar);
    sidecar.setState("Shutdown");

    await arrived(() => states().includes("Shutdown"));
    expect(states()).toEqual(["Ready", "Shutdown"]);
    await statesOver(way, sidecar);
    expect(sidecar.state()).toBe("Shutdown");
  },
);

test("sends an ended watch nothing more, not even what was late", async () => {
  await using sidecar = await startSidecar();
  const { states, errors, ended } = await watching(sidecar);
  using http = await watchHttp(sidecar);
  await arrived(() => http.chunks.length === 1);
  sidecar.faults.slow(50);
  sidecar.setState("Ready");
  sidecar.faults.endWatches();
  sidecar.setState("Allocated");

  // Late as well: by its answer the messages would have been sent.
  await call(sidecar, "GET", "/gameserver");
  await arrived(() => ended() && http.ended() === "end");
  expect([states, errors, http.chunks.length]).toEqual([["Scheduled"], [], 1]);
});

async function statesOver(way: "grpc" | "http", sidecar: Sidecar): Promise<() => (string | undefined)[]> {
  if (way === "grpc") {
    const { states } = await watching(sidecar);
    return () => states;
  }
  const { chunks } = await watchHttp(sidecar);
  return () => chunks.map((chunk) => chunk.result?.status.state);
}

/** The official SDK can cancel nothing. */
function rawClient({ port }: Sidecar) {
  const Client = makeGenericClientConstructor(sdkService, "SDK");
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  return {
    call: (method: string) => client[method]?.(emptyMessage(), () => {}) as ClientUnaryCall,
    [Symbol.dispose]: () => client.close(),
  };
}

function connectedTo(port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connectTcp({ host: "127.0.0.1", port });
  socket.once("connect", () => resolve()).once("error", reject);
  return promise.finally(() => socket.destroy());
}

/** grpc-js waits a second and more before it dials again. */
function answers(sdk: Sdk): Promise<unknown> {
  return expect.poll(() => sdk.getGameServer(), { timeout: 10_000 }).toBeDefined();
}

function since(began: number): number {
  return performance.now() - began;
}
