import type { Attributes } from "@opentelemetry/api";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createConnection, type Connection } from "../src/orchestrators/gamelift/connection.ts";
import type { Fields } from "../src/orchestrators/gamelift/frames.ts";
import { GameLiftError } from "../src/orchestrators/gamelift/game-lift-error.ts";
import { connectProcess } from "../src/orchestrators/gamelift/process.ts";
import { refresh } from "../src/orchestrators/gamelift/refresh.ts";
import type { Timings } from "../src/orchestrators/gamelift/timings.ts";
import type { OrchestratorEvents } from "../src/orchestrators/orchestrator.ts";
import type { Step } from "../src/telling/step.ts";
import { startGameLift, type CallFault, type GameLiftSocket } from "../standins/gamelift-socket.ts";
import { QUICK } from "./_gamelift.ts";
import { until } from "./_server.ts";

const CONTAINER_KEYS = { AccessKeyId: "AK", SecretAccessKey: "SK", Token: "ST" };
const IDENTITY = {
  processId: "process-1",
  hostId: "host-1",
  fleetId: "fleet-1",
  authorization: { by: "token", token: "token-1" },
  tool: { name: undefined, version: undefined },
} as const;

interface Seen {
  readonly faults: string[];
  readonly troubles: (string | undefined)[];
  readonly pushes: string[];
}

interface Line extends Disposable {
  readonly connection: Connection;
  readonly seen: Seen;
  call(action: string, fields?: Fields, timeout?: number, repeatable?: boolean): Promise<Fields>;
}

let service: GameLiftSocket;

beforeEach(async () => {
  service = await startGameLift();
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

afterEach(async () => {
  await service[Symbol.asyncDispose]();
  vi.restoreAllMocks();
});

function line(timings: Partial<Timings> = {}): Line {
  const seen: Seen = { faults: [], troubles: [], pushes: [] };
  const identity = { ...IDENTITY, webSocketUrl: service.url };
  const events = {
    tell: (kind: string) => void seen.faults.push(kind),
    trouble: (reason: string | undefined) => void seen.troubles.push(reason),
    push(action: string, fields: Fields) {
      seen.pushes.push(action);
      refresh(connection, service.url, fields);
    },
  };
  const connection = createConnection(identity, events, { ...QUICK, ...timings });
  return {
    connection,
    seen,
    call: (action, fields = {}, timeout = 5000, repeatable = true) =>
      connection.call(action, fields, { timeout, repeatable }),
    [Symbol.dispose]: () => connection.close(),
  };
}

async function connected(timings?: Partial<Timings>): Promise<Line> {
  const opened = line(timings);
  await opened.connection.connect(10_000);
  return opened;
}

/** Longer than a connection that should not be made would take. */
async function roundTrips({ call }: Line): Promise<void> {
  for (let times = 0; times < 30; times += 1) {
    await call("HeartbeatServerProcess");
  }
}

test("says who it is, in the words of the official SDKs", async () => {
  using _line = await connected();
  expect(service.connections).toEqual([
    {
      pID: "process-1",
      sdkVersion: "5.6.0",
      sdkLanguage: "NodeJS",
      ComputeId: "host-1",
      FleetId: "fleet-1",
      IdempotencyToken: expect.stringMatching(/^[0-9a-f-]{36}$/),
      Authorization: "token-1",
    },
  ]);
});

test("a service that comes up late is found, and each attempt says the same idempotency token", async () => {
  service.refuse(503, 3);
  using opened = line();
  expect(await opened.connection.connect(10_000)).toEqual({ attempts: 4, hostId: "host-1" });
  expect(new Set(service.connections.map(({ IdempotencyToken }) => IdempotencyToken)).size).toBe(1);
  expect(opened.seen).toMatchObject({ faults: ["unreachable", "unreachable", "unreachable"], troubles: [undefined] });
});

test("a token that is refused is one line with the status at the deadline, and no secret; then nothing is tried any more", async () => {
  service.tokens.clear();
  using opened = line();
  const error = await opened.connection.connect(300).catch((error: Error) => error.message);
  expect(error).toMatch(
    /^no GameLift at 127\.0\.0\.1:\d+: \d+ connection attempts in 0\.3 s, last: HTTP status 403\. Is the token/,
  );
  expect(error).not.toContain("token-1");
  await expect(opened.call("HeartbeatServerProcess")).rejects.toMatchObject({ failure: "closed" });
});

test.each(["cut", "cut_after"] as const)(
  "a call whose answer is lost (%s) is sent again over the next connection",
  async (fault) => {
    using opened = await connected();
    service.fault("HeartbeatServerProcess", fault);
    await opened.call("HeartbeatServerProcess", { HealthStatus: true });
    expect(service.calls).toEqual({ HeartbeatServerProcess: 2 });
    expect(service.connections).toHaveLength(2);
    expect(opened.seen.faults).toEqual(["cut"]);
    expect(opened.seen.troubles).toEqual([
      undefined,
      expect.stringMatching(/^no connection to GameLift: closed with 1006$/),
      undefined,
    ]);
  },
);

test("a call that must not be done twice fails where it was cut, and one made while there is no connection waits for the next", async () => {
  using opened = await connected();
  service.fault("StartMatchBackfill", "cut_after");
  await expect(opened.call("StartMatchBackfill", {}, 5000, false)).rejects.toMatchObject({ failure: "cut" });
  await opened.call("StopMatchBackfill", {}, 5000, false);
  expect(service.calls).toEqual({ StartMatchBackfill: 1, StopMatchBackfill: 1 });
});

test.each<[CallFault, string, string]>([
  [{ status: 400 }, "refused", "GetComputeCertificate: status 400 on command"],
  [{ status: 503 }, "service_error", "GetComputeCertificate: status 503 on command"],
  ["silence", "timeout", "GetComputeCertificate: GameLift did not answer in 50 ms"],
])("an answer %j is a GameLiftError that says so, and one fault", async (fault, failure, message) => {
  using opened = await connected();
  service.fault("GetComputeCertificate", fault);
  const error: unknown = await opened.call("GetComputeCertificate", {}, 50).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(GameLiftError);
  expect(error).toMatchObject({ failure, message, action: "GetComputeCertificate" });
  expect(opened.seen.faults).toEqual([failure]);
});

test("an answer that comes too late is nobody's, and is counted", async () => {
  using opened = await connected();
  const late = Promise.withResolvers<void>();
  service.fault("GetComputeCertificate", { after: late.promise });
  await expect(opened.call("GetComputeCertificate", {}, 5)).rejects.toMatchObject({ failure: "timeout" });
  late.resolve();
  await until("the late answer", () => opened.seen.faults.includes("unasked_answer"));
  expect(opened.seen.faults).toEqual(["timeout", "unasked_answer"]);
});

test.each(["200", null, undefined, [200]])(
  "an answer with the status %j is none: the right one may still come",
  async (status) => {
    using opened = await connected();
    service.fault("GetComputeCertificate", { before: { StatusCode: status } });
    expect(await opened.call("GetComputeCertificate")).toMatchObject({ ComputeName: "host-1" });
    expect(opened.seen.faults).toEqual(["wrong_type"]);
  },
);

test("in a container the task's id is the host, for the service and for the resource", async () => {
  const answers = createServer(({ url }, response) =>
    response.end(JSON.stringify(url === "/task" ? { TaskARN: "arn:aws:ecs:r:1:task/c/7f3a" } : CONTAINER_KEYS)),
  ).listen(0, "127.0.0.1");
  await once(answers, "listening");
  const at = `http://127.0.0.1:${(answers.address() as AddressInfo).port}`;
  const authorization = {
    by: "container",
    region: "eu-central-1",
    credentialsUrl: `${at}/keys`,
    taskUrl: `${at}/task`,
  } as const;
  const server = { ...IDENTITY, webSocketUrl: service.url, hostId: "", authorization };
  const events = { tell() {}, trouble() {}, push() {} };
  const connection = createConnection(server, events, QUICK);
  const known: Attributes = {};
  const step = { result: {} } as Step;
  const told = { begin: () => step, end() {}, identified: (more: Attributes) => void Object.assign(known, more) };
  await connectProcess({ events: told as unknown as OrchestratorEvents, server, connection }, 10_000);
  expect(service.connections[0]).toMatchObject({ ComputeId: "7f3a", "X-Amz-Security-Token": "ST" });
  expect(known).toEqual({
    "gamelift.fleet_id": "fleet-1",
    "gamelift.process_id": "process-1",
    "gamelift.host_id": "7f3a",
  });
  connection.close();
  answers.close();
});

test("two calls without an answer in a row are a dead connection; one, and a word of the service, is not", async () => {
  using opened = await connected();
  service.fault("GetComputeCertificate", "silence", "silence");
  await expect(opened.call("GetComputeCertificate", {}, 20)).rejects.toMatchObject({ failure: "timeout" });
  await opened.call("HeartbeatServerProcess");
  await expect(opened.call("GetComputeCertificate", {}, 20)).rejects.toMatchObject({ failure: "timeout" });
  // Over a connection that was given up it would wait for the next.
  await opened.call("HeartbeatServerProcess");
  expect(service.connections).toHaveLength(1);
  service.fault("GetComputeCertificate", "silence", "silence");
  await expect(opened.call("GetComputeCertificate", {}, 20)).rejects.toMatchObject({ failure: "timeout" });
  await expect(opened.call("GetComputeCertificate", {}, 20)).rejects.toMatchObject({ failure: "timeout" });
  await service.waitFor("another connection", () => service.connections.length === 2 && service.open === 1);
  await opened.call("GetComputeCertificate");
});

test("a refresh keeps the old connection until its answers are in, and sends what is new over the new one", async () => {
  using opened = await connected();
  const late = Promise.withResolvers<void>();
  service.fault("GetComputeCertificate", { after: late.promise });
  const slow = opened.call("GetComputeCertificate");
  await service.waitFor("the slow call", () => service.calls["GetComputeCertificate"] === 1);
  service.refresh(true);
  await service.waitFor("both connections", () => service.open === 2);
  await opened.call("HeartbeatServerProcess");
  expect(service.open).toBe(2);
  late.resolve();
  await slow;
  await service.waitFor("the old one to go", () => service.open === 1);
  expect(service.calls).toEqual({ GetComputeCertificate: 1, HeartbeatServerProcess: 1 });
  expect(opened.seen).toMatchObject({ faults: [], troubles: [undefined] });
});

test("what the old connection never answers is asked over the new one", async () => {
  using opened = await connected({ flush: 30 });
  service.fault("GetComputeCertificate", "silence");
  const slow = opened.call("GetComputeCertificate");
  await service.waitFor("the slow call", () => service.calls["GetComputeCertificate"] === 1);
  service.refresh();
  expect(await slow).toMatchObject({ ComputeName: "host-1" });
  expect(service.calls).toEqual({ GetComputeCertificate: 2 });
});

test("a refresh that fails leaves the connection that there is; the next one is taken", async () => {
  using opened = await connected({ refresh: -1, firstPause: 1, longestPause: 1 });
  service.refuse(403, 1);
  service.refresh();
  await service.waitFor("the refused one", () => service.connections.length === 2);
  await until("its fault", () => opened.seen.faults.includes("unreachable"));
  await roundTrips(opened);
  expect([service.open, service.connections.length]).toEqual([1, 2]);
  service.refresh(true);
  await service.waitFor("the next one", () => service.connections.length >= 3 && service.open === 1);
  await opened.call("HeartbeatServerProcess");
  expect(opened.seen.troubles).toEqual([undefined]);
});

test("cut in the middle of a refresh, it comes back by the new token", async () => {
  using opened = await connected();
  service.refuse(503, 2);
  service.refresh(true);
  await service.waitFor("the first attempt", () => service.connections.length === 2);
  service.cut();
  await opened.call("HeartbeatServerProcess");
  expect(service.connections.at(-1)!["Authorization"]).toMatch(/^token-./);
  expect(service.connections.at(-1)!["Authorization"]).not.toBe("token-1");
});

test("cut after a refresh to where nothing is, it comes back by the endpoint that it had", async () => {
  using opened = await connected();
  opened.connection.refresh("ws://127.0.0.1:1", "token-2");
  await until("an attempt", () => opened.seen.faults.includes("unreachable"));
  service.cut();
  await opened.call("HeartbeatServerProcess");
  expect(opened.seen.troubles.at(-1)).toBeUndefined();
});

test("after a cut it tries for ever, slower each time, and goes on with what waits", async () => {
  using opened = await connected();
  service.refuse(500, 5);
  service.cut();
  await opened.call("HeartbeatServerProcess");
  expect(opened.seen.faults).toEqual(["cut", ..."12345".split("").map(() => "unreachable")]);
});

test("a service that accepts and cuts at once is not asked in a loop", async () => {
  using opened = await connected({ firstPause: 20, longestPause: 200 });
  const began = performance.now();
  for (let cuts = 1; cuts <= 4; cuts += 1) {
    service.cut();
    await service.waitFor("the next connection", () => service.connections.length === cuts + 1 && service.open === 1);
    await opened.call("HeartbeatServerProcess");
  }
  // Half of 20 + 40 + 80 + 160 at least.
  expect(performance.now() - began).toBeGreaterThan(149);
});

test("a closed connection stays closed, and what waits is told", async () => {
  using opened = await connected({ firstPause: 1, longestPause: 1 });
  service.fault("HeartbeatServerProcess", "silence");
  const waiting = opened.call("HeartbeatServerProcess");
  await service.waitFor("the call", () => service.calls["HeartbeatServerProcess"] === 1);
  opened.connection.close();
  await expect(waiting).rejects.toMatchObject({ failure: "closed" });
  await service.waitFor("the goodbye", () => service.open === 0);
  await expect(opened.call("HeartbeatServerProcess")).rejects.toMatchObject({ failure: "closed" });
  using another = await connected();
  await roundTrips(another);
  expect(service.connections).toHaveLength(2);
});

test("no more calls wait than a game session may have players coming and going", async () => {
  using opened = line();
  const calls = Array.from({ length: 4097 }, () =>
    opened.call("HeartbeatServerProcess").catch((error: unknown) => error),
  );
  expect(await calls.at(-1)).toMatchObject({ failure: "busy" });
  opened.connection.close();
  expect(await calls[0]).toMatchObject({ failure: "closed" });
});

test("a message that is too large ends its connection, and no more", async () => {
  using opened = await connected();
  service.send(JSON.stringify({ Action: "x".repeat(5 * 1024 * 1024) }));
  await service.waitFor("another connection", () => service.connections.length === 2);
  await opened.call("HeartbeatServerProcess");
  expect(opened.seen.faults).toEqual(["cut"]);
});

test("an endpoint without encryption is not taken after one with it, nor one without a token", () => {
  const taken: string[] = [];
  const connection = { refresh: (url: string) => void taken.push(url) };
  const message = (endpoint: unknown, token: unknown = "t") => ({
    RefreshConnectionEndpoint: endpoint,
    AuthToken: token,
  });
  expect(refresh(connection, "wss://a", message("ws://b"))).toBe(false);
  for (const bad of [
    message("https://b"),
    message("b"),
    message(7),
    message("wss://b", ""),
    message("wss://b", 7),
    {},
  ]) {
    expect(refresh(connection, "wss://a", bad)).toBe(false);
  }
  expect(refresh(connection, "wss://a", message("wss://b"))).toBe(true);
  expect(refresh(connection, "ws://a", message("ws://c"))).toBe(true);
  expect(taken).toEqual(["wss://b", "ws://c"]);
});
