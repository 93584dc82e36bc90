import { Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { execFile } from "node:child_process";
import type { EventEmitter } from "node:events";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import type { Orchestrator } from "colyseus-otel";
import { agones, type AgonesOptions, type AgonesSdk } from "colyseus-otel/agones";
import { decodeGameServer } from "../src/orchestrators/agones/message.ts";
import type { GameServer } from "../src/orchestrators/agones/sidecar.ts";
import { followGameServer } from "../src/orchestrators/agones/watch.ts";
import type { Step } from "../src/telling/step.ts";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { emptyMessage, type Message } from "../standins/game-server-message.ts";
import { sdkService } from "../standins/sidecar-service.ts";
import { until } from "./_server.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("a GameServer is read as the official SDK reads it, with fields of later versions between", () => {
  fc.assert(
    fc.property(gameServer(), (bytes) => {
      expect(inOrder(decodeGameServer(bytes))).toEqual(inOrder(officially(bytes)));
    }),
  );
});

test("bytes that are no GameServer throw nothing", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeGameServer(Buffer.from(bytes))));
  fc.assert(
    fc.property(gameServer(), fc.nat(), (bytes, cut) => void decodeGameServer(bytes.subarray(0, cut % bytes.length))),
  );
  const named = part(1, part(1, Buffer.from("arena")));
  expect(decodeGameServer(named.subarray(0, -1))).toEqual({});
});

test.each([
  ["grpc", ["@grpc/grpc-js"]],
  ["http", []],
] as const)(
  "the way to Ready over %s loads of Agones and gRPC %j, and once closed nothing keeps the process alive",
  async (transport, loaded) => {
    await using stand = await startSidecar({ readyDelay: 0 });
    const { packages } = await connectInProcess(stand, { transport });
    expect(packages.filter((name) => /agones|protobuf|grpc/.test(name))).toEqual(loaded);
    expect(stand.calls).toMatchObject({ ready: 1, watchGameServer: 1, health: 1 });
  },
);

test("a connection given up keeps no process alive", async () => {
  await using stand = await startSidecar({ readyDelay: 60_000 });
  const { failure } = await connectInProcess(stand, { deadline: 3000 });
  expect(failure).toContain("did not show Ready in 3.0 s");
});

test("each ping is answered for itself, and a Ready() that is refused fails the boot with the sidecar's reason", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const seen = { streams: 0, pings: 0 };
  await using port = await serve({
    health(call: EventEmitter, answer: (error: null, empty: Message) => void) {
      seen.streams += 1;
      call.on("data", () => (seen.pings += 1));
      call.on("end", () => answer(null, emptyMessage()));
    },
    ready: (_call: unknown, answer: (error: object) => void) => answer({ code: 9, details: "not now" }),
  });
  process.env["AGONES_SDK_GRPC_PORT"] = String(port.number);
  const orchestrator = connected({ healthInterval: 5 });
  await expect(orchestrator.ready(0)).rejects.toThrow("9 FAILED_PRECONDITION: not now");
  await until("three pings", () => seen.pings >= 3);
  expect(seen.streams).toBe(seen.pings);
  orchestrator.close();
});

test("an update that the watch lost is found by asking", async () => {
  const states = ["RequestReady", "Ready"];
  const asked: string[] = [];
  const getGameServer = async () => {
    asked.push(states[0]!);
    return { status: { state: states.length > 1 ? states.shift()! : states[0]!, address: "", portsList: [] } };
  };
  const watch = follow(getGameServer);
  const found = await watch.until(({ status }) => status?.state === "Ready");
  watch.close();
  expect([found.status?.state, asked]).toEqual(["Ready", ["RequestReady", "Ready"]]);
});

test("an update between a watch's first message and its subscription is found soon, though nobody waits for it", async () => {
  const states: (string | undefined)[] = [];
  const watch = followGameServer({
    sidecar: {
      getGameServer: async () => ({ status: { ...READY.status!, state: "Allocated" } }),
      watch: (onUpdate) => {
        onUpdate(READY);
        return () => {};
      },
    },
    contact: { lost() {}, back() {} },
    onUpdate: ({ status }) => states.push(status?.state),
  });
  await until("the update", () => states.length > 1, 4000);
  watch.close();
  expect(states).toEqual(["Ready", "Allocated"]);
});

test("a watch that is closed while it asks says nothing of it", async () => {
  const warned = vi.spyOn(console, "warn");
  const answer = Promise.withResolvers<GameServer>();
  const watch = follow(() => answer.promise);
  void watch.until(() => true);
  watch.close();
  answer.reject(new Error("Channel closed before call started"));
  await expect(answer.promise).rejects.toThrow("Channel closed");
  expect(warned).not.toHaveBeenCalled();
});

test("a watch that is closed asks no more, whoever comes to wait", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const asked = vi.fn(async () => READY);
  const watch = follow(asked);
  watch.close();
  void watch.until(() => false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).not.toHaveBeenCalled();
});

test("an SDK object that is frozen is pinged as any other", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const pings = vi.fn();
  const orchestrator = connected({ sdk: Object.freeze(ownSdk({ health: pings })), healthInterval: 1 });
  await orchestrator.ready(0);
  await until("pings", () => pings.mock.calls.length > 3);
  expect(warned).not.toHaveBeenCalled();
  orchestrator.close();
});

test("an SDK object of the program's own is enough: where its sidecar is may be known to it alone", async () => {
  process.env["AGONES_SDK_GRPC_PORT"] = "1";
  const sdk = ownSdk();
  const orchestrator = connected({ sdk, deadline: 2000 });
  await orchestrator.ready(0);
  await orchestrator.shutdown();
  orchestrator.close();
  expect(sdk.said).toEqual(["connect", "ready", "shutdown"]);
  const unanswered = ownSdk({ connect: () => Promise.reject(new Error("gone")) });
  await expect(connected({ sdk: unanswered, deadline: 100 }).ready(0)).rejects.toThrow(
    "the Agones sidecar behind agones.sdk does not answer (Error: gone): gave up after 0.1 s.",
  );
});

test("a server that is shut down while it still connects says Shutdown, and never Ready", async () => {
  const there = Promise.withResolvers<void>();
  const sdk = ownSdk({ connect: () => there.promise });
  const orchestrator = connected({ sdk });
  const ready = orchestrator.ready(0);
  const stopped = orchestrator.shutdown();
  orchestrator.close();
  there.resolve();
  await expect(ready).rejects.toThrow("shut down before Ready");
  await stopped;
  expect(sdk.said).toEqual(["shutdown"]);
});

test("a boot that has failed for want of Ready asks for it no more, also when the sidecar is lost and found", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const scheduled: GameServer = { status: { state: "Scheduled", address: "", portsList: [] } };
  const breaks: ((error: unknown) => void)[] = [];
  const sdk = ownSdk({
    getGameServer: async () => scheduled,
    watchGameServer(onUpdate, onError) {
      breaks.push(onError);
      onUpdate(scheduled);
    },
  });
  const orchestrator = connected({ sdk, deadline: 200 });
  await expect(orchestrator.ready(0)).rejects.toThrow("did not show Ready in 0.2 s");
  breaks[0]!(new Error("gone"));
  await until("the next watch", () => breaks.length === 2);
  await new Promise((next) => setImmediate(next));
  expect(sdk.said).toEqual(["connect", "ready"]);
  orchestrator.close();
});

test("a watch that breaks each time it has begun fills no log", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  let watches = 0;
  const sdk = ownSdk({
    watchGameServer(onUpdate, onError) {
      watches += 1;
      onUpdate(READY);
      queueMicrotask(() => onError(new Error("gone")));
    },
  });
  const orchestrator = connected({ sdk });
  await orchestrator.ready(0);
  await vi.advanceTimersByTimeAsync(50_000);
  orchestrator.close();
  expect(watches).toBeGreaterThan(100);
  expect(warned.mock.calls.length).toBeLessThanOrEqual(60);
});

test("the streams of the program's own in its SDK object are left there, also by a close right after the watch broke", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const theirs = {};
  const streams: object[] = [theirs];
  const breaks: ((error: Error) => void)[] = [];
  const watchGameServer = (onUpdate: (gameServer: GameServer) => void, onError: (error: unknown) => void) => {
    streams.push({});
    breaks.push(onError);
    onUpdate(READY);
  };
  const orchestrator = connected({ sdk: Object.assign(ownSdk({ watchGameServer }), { streams }) });
  await orchestrator.ready(0);
  expect(streams).toHaveLength(2);
  breaks[0]!(new Error("broken"));
  expect(streams).toEqual([theirs]);
  orchestrator.close();
  await Promise.resolve();
  expect(streams).toEqual([theirs]);
});

test("without @grpc/grpc-js the error names what to install", async () => {
  await using stand = await startSidecar();
  const { failure } = await connectInProcess(stand, {}, "@grpc/grpc-js");
  expect(failure).toContain(
    'agones() needs the package @grpc/grpc-js: npm install @grpc/grpc-js, or use agones({ transport: "http" }) ERR_MODULE_NOT_FOUND',
  );
});

const READY: GameServer = { status: { state: "Ready", address: "", portsList: [] } };

/** An SDK object of the program's own without any sidecar; `said` is what it was asked. */
function ownSdk(more: Partial<AgonesSdk> = {}): AgonesSdk & { readonly said: string[] } {
  const said: string[] = [];
  const hear = (what: string) => async () => void said.push(what);
  return {
    said,
    connect: hear("connect"),
    ready: hear("ready"),
    shutdown: hear("shutdown"),
    setAnnotation: async () => {},
    getGameServer: async () => READY,
    health() {},
    watchGameServer: (onUpdate) => onUpdate(READY),
    ...more,
  };
}

function follow(getGameServer: () => Promise<GameServer>) {
  const contact = { lost() {}, back() {} };
  return followGameServer({ sidecar: { getGameServer, watch: () => () => {} }, contact, onUpdate() {} });
}

function connected(options: AgonesOptions): Orchestrator {
  const orchestrator = agones(options);
  const step = { result: {} } as Step;
  orchestrator.connect({
    begin: () => step,
    end() {},
    traceparent: () => undefined,
    identified() {},
    allocated: () => undefined,
    released() {},
    trouble() {},
    told() {},
    fault() {},
    drain() {},
  });
  return orchestrator;
}

async function serve(handlers: UntypedServiceImplementation): Promise<AsyncDisposable & { readonly number: number }> {
  const server = new Server();
  server.addService(sdkService, handlers);
  const number = await promisify(server.bindAsync.bind(server))("localhost:0", ServerCredentials.createInsecure());
  return { number, [Symbol.asyncDispose]: async () => server.forceShutdown() };
}

/** The adapter alone in a process of its own, which has 15 seconds to end by itself after close(). */
async function connectInProcess(
  { port, httpPort }: { readonly port: number; readonly httpPort: number },
  options: AgonesOptions,
  missing = "",
): Promise<{ packages: string[]; failure?: string }> {
  const code = `
    import { registerHooks } from "node:module";
    const packages = new Set();
    registerHooks({
      resolve: (name, context, next) => next(name === "${missing}" ? "not-installed" : name, context),
      load(url, context, next) {
        const [, name] = /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? [];
        if (name) packages.add(name);
        return next(url, context);
      },
    });
    const { agones } = await import("${new URL("../src/agones.ts", import.meta.url).href}");
    const orchestrator = agones(${JSON.stringify(options)});
    orchestrator.connect({
      begin: () => ({ result: {} }), end() {}, traceparent() {}, identified() {}, allocated() {}, released() {}, trouble() {},
    });
    const game = setInterval(() => {}, 1000);
    const failure = await orchestrator.ready().catch((error) => error.message + " " + error.cause?.code);
    clearInterval(game);
    orchestrator.close();
    console.log(JSON.stringify({ failure, packages: [...packages].sort() }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code], {
    env: { ...process.env, AGONES_SDK_GRPC_PORT: String(port), AGONES_SDK_HTTP_PORT: String(httpPort) },
    timeout: 15_000,
  });
  return JSON.parse(stdout) as { packages: string[]; failure?: string };
}

/** What both must see. The official SDK sorts the maps, and has many more fields. */
function inOrder({ objectMeta, spec, status }: GameServer): object {
  return {
    objectMeta: objectMeta && {
      name: objectMeta.name,
      namespace: objectMeta.namespace,
      uid: objectMeta.uid,
      version: objectMeta.resourceVersion,
      annotations: new Map(objectMeta.annotationsMap),
      labels: new Map(objectMeta.labelsMap),
    },
    spec,
    status: status && { state: status.state, address: status.address, ports: status.portsList },
  };
}

function officially(bytes: Buffer): GameServer {
  return (sdkService["getGameServer"]!.responseDeserialize(bytes) as { toObject(): GameServer }).toObject();
}

/** A GameServer on the wire, fields absent, repeated and unknown. */
function gameServer(): fc.Arbitrary<Buffer> {
  const text = (number: number) => fc.string({ unit: "grapheme" }).map((value) => part(number, Buffer.from(value)));
  const pair = (number: number) => fc.tuple(text(1), text(2)).map((texts) => part(number, Buffer.concat(texts)));
  const port = message(3, [text(1), fc.nat(0x7fff_ffff).map((value) => Buffer.concat([varint(16), varint(value)]))]);
  const meta = message(1, [text(1), text(2), text(3), text(4), pair(8), pair(8), pair(9)]);
  const status = message(3, [text(1), text(2), port, port, message(7, [text(1), text(2)])]);
  const whole = (number: number) =>
    fc.nat(0x7fff_ffff).map((value) => Buffer.concat([varint(number * 8), varint(value)]));
  const disabled = fc.constantFrom(0, 1).map((value) => Buffer.from([8, value]));
  return fields([meta, status, message(2, [message(1, [disabled, whole(2), whole(3), whole(4)])])]);
}

function message(number: number, inside: readonly fc.Arbitrary<Buffer>[]): fc.Arbitrary<Buffer> {
  return fields(inside).map((bytes) => part(number, bytes));
}

function fields(known: readonly fc.Arbitrary<Buffer>[]): fc.Arbitrary<Buffer> {
  const unknown = [
    fc.nat().map((value) => Buffer.concat([varint(200 * 8), varint(value)])),
    fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.concat([varint(201 * 8 + 1), bytes])),
    fc.uint8Array().map((bytes) => part(202, bytes)),
    fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.concat([varint(203 * 8 + 5), bytes])),
  ];
  return fc.array(fc.oneof(...known, ...unknown), { maxLength: 12 }).map((parts) => Buffer.concat(parts));
}

function part(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) {
    bytes.push((value % 0x80) + 0x80);
  }
  return Buffer.from([...bytes, value]);
}
