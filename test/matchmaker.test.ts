import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Room } from "@colyseus/core";
import type { Room as ClientRoom } from "@colyseus/sdk";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { InstrumentOptions } from "colyseus-otel";
import { startReceiver, type Receiver } from "../demo/receiver/receiver.ts";
import type { ReceivedSpan } from "../demo/receiver/spans.ts";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { startAllocationService } from "../standins/allocation-service.ts";
import { startKubernetesApi } from "../standins/kubernetes-api.ts";
import { kubeConfigOf } from "./_kubernetes.ts";
import { startGameLiftApi } from "../standins/gamelift-api.ts";
import { CURRENT } from "./_secrets.ts";
import { startServer, until } from "./_server.ts";
import { spanTree } from "./_telemetry.ts";

// The page's code as a user's project, with the sources in place of the package.
const root = resolve(import.meta.dirname, "..");
const page = readFileSync(join(root, "docs/matchmaker.md"), "utf8");
const MARKED = /<!-- run by test\/matchmaker\.test\.ts: (\S+) -->\n```ts\n([^]*?)```/g;
const code = new Map(Array.from(page.matchAll(MARKED), ([, name, text]) => [name!, text!]));
let project = "";

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "matchmaker-"));
  const modules = join(project, "node_modules");
  mkdirSync(join(modules, "colyseus-otel"), { recursive: true });
  for (const entry of readdirSync(join(root, "node_modules"))) {
    symlinkSync(join(root, "node_modules", entry), join(modules, entry));
  }
  symlinkSync(join(root, "src"), join(modules, "colyseus-otel/src"));
  const exports = { "./backend": "./src/backend.ts", "./sdk": "./src/sdk.ts" };
  writeFileSync(join(modules, "colyseus-otel/package.json"), JSON.stringify({ type: "module", exports }));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "login", type: "module" }));
  for (const [name, text] of code) {
    writeFileSync(join(project, name), text);
  }
});

afterAll(() => rmSync(project, { recursive: true }));

async function startService(program: string, receiver: Receiver, env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [program], {
    cwd: project,
    env: {
      ...process.env,
      PORT: "0",
      OTEL_SERVICE_NAME: "login",
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += String(chunk)));
  child.stderr.on("data", (chunk: Buffer) => (output += String(chunk)));
  const port = () => /on port (\d+)/.exec(output)?.[1];
  await until("the login service", () => port() ?? child.exitCode !== null, 10_000);
  return {
    url: `http://localhost:${port() ?? `none, it said: ${output}`}`,
    output: () => output,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) {
        child.kill("SIGTERM");
        await once(child, "close");
      }
    },
  };
}

class Arena extends Room {}

test("the page has the code that is run here", () => {
  expect([...code.keys()]).toEqual([
    "players.ts",
    "node-http.ts",
    "with-express.ts",
    "play.ts",
    "servers.ts",
    "by-kubernetes.ts",
    "game-sessions.ts",
  ]);
});

test("the page's code type-checks in a project of its own", () => {
  const flags = "--noEmit --strict --target ES2024 --lib ES2024,ESNext.Disposable,DOM --module NodeNext --types node";
  const others = "--skipLibCheck --allowImportingTsExtensions --ignoreConfig";
  const options = [
    ...flags.split(" "),
    ...others.split(" "),
    "node-http.ts",
    "play.ts",
    "servers.ts",
    "by-kubernetes.ts",
    "game-sessions.ts",
  ];
  const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), options, { cwd: project, encoding: "utf8" });
  // Express' types are not installed here; the sources have a check of their own, with options of their own.
  expect(stdout.split("\n").filter((line) => /^[\w-]+\.ts\(/.test(line))).toEqual([]);
});

test.each<[string, string, NodeJS.ProcessEnv, InstrumentOptions]>([
  ["node-http.ts", "", {}, {}],
  [
    "with-express.ts",
    ", signed",
    { COLYSEUS_OTEL_TRUST_SECRETS: CURRENT },
    { trust: { secrets: [CURRENT], audience: "arena" } },
  ],
])(
  "%s%s: one trace from session.started in the login service to session.lifecycle in the game server",
  async (program, _signed, env, options) => {
    await using receiver = await startReceiver();
    await using game = await startServer({ arena: Arena }, options);
    const room = await (async () => {
      await using service = await startService(program, receiver, env);
      const { play } = (await import(pathToFileURL(join(project, "play.ts")).href)) as {
        play(loginService: string, gameServer: string): Promise<ClientRoom>;
      };
      return await play(service.url, game.url);
    })();
    await room.leave();
    await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
    const told = (name: string) => receiver.spans.some((span) => span.name === name);
    await receiver.waitFor(() => told("session.started") && told("session.phase.matchmaking"), 10_000);
    const both = [...receiver.spans.map(readable), ...game.recorded.spans()];
    expect(spanTree(both.filter(({ name }) => !/^gameserver|on_dispose/.test(name)))).toMatchInlineSnapshot(`
      "session.started
        session.phase.login
        session.lifecycle
        session.phase.matchmaking
        matchmake arena
          room.join arena
        session.phase.in_game"
    `);
    const started = receiver.spans.find(({ name }) => name === "session.started")!;
    expect(game.recorded.one("session.lifecycle").attributes).toMatchObject({
      ...started.attributes,
      "player.id": "Ann",
      "session.end_reason": "client_quit",
      "session.matches_played": 1,
    });
  },
);

test("servers.ts: a player's trace goes on to the server that was allocated, and no server is an outcome", async () => {
  await using sidecar = await startSidecar({ state: "Ready" });
  await using service = await startAllocationService();
  service.register(sidecar);
  vi.stubEnv("ALLOCATOR", service.endpoint);
  const { findServer } = (await import(pathToFileURL(join(project, "servers.ts")).href)) as {
    findServer(players: readonly object[], signal?: AbortSignal): Promise<object>;
  };
  const player = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
  expect(await findServer([player])).toEqual({
    name: expect.any(String),
    url: expect.stringMatching(/^http:\/\/.+:\d+$/),
  });
  expect(sidecar.state()).toBe("Allocated");
  expect(await findServer([player], AbortSignal.abort())).toEqual({ error: "aborted" });
});

test("by-kubernetes.ts: a server by the KubeConfig that the program finds", async () => {
  await using sidecar = await startSidecar({ state: "Ready" });
  await using api = await startKubernetesApi();
  api.register(sidecar);
  writeFileSync(join(project, "kubeconfig"), kubeConfigOf(api).exportConfig());
  vi.stubEnv("KUBECONFIG", join(project, "kubeconfig"));
  const { findServer } = (await import(pathToFileURL(join(project, "by-kubernetes.ts")).href)) as {
    findServer(): Promise<object>;
  };
  expect(await findServer()).toEqual({ name: sidecar.gameServer().name, start: "warm" });
});

test("game-sessions.ts: a game session is had, with a seat for each player, and no server process is an outcome", async () => {
  await using api = await startGameLiftApi({ processes: 1 });
  vi.stubEnv("AWS_ENDPOINT_URL_GAMELIFT", api.endpoint);
  vi.stubEnv("AWS_REGION", "eu-west-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "none");
  const { findGameSession } = (await import(pathToFileURL(join(project, "game-sessions.ts")).href)) as {
    findGameSession(players: ReadonlyMap<string, object>): Promise<object>;
  };
  const player = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
  expect(await findGameSession(new Map([["ann", player]]))).toEqual({
    url: "http://127.0.0.1:7001",
    seats: [expect.stringMatching(/^psess-/)],
  });
  const seat = api.requests.find(({ operation }) => operation === "CreatePlayerSession");
  expect(JSON.parse(String(seat?.input["PlayerData"]))).toEqual(player);
  api.setFault({ error: "UnauthorizedException" });
  expect(await findGameSession(new Map([["ann", player]]))).toEqual({ error: "allocation_failed" });
});

/** What spanTree() looks at. */
function readable(span: ReceivedSpan): ReadableSpan {
  const { traceId, spanId, parentSpanId, startMs } = span;
  return {
    ...span,
    status: { code: 0 },
    startTime: [Math.floor(startMs / 1000), (startMs % 1000) * 1e6],
    spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
    parentSpanContext: parentSpanId === undefined ? undefined : { traceId, spanId: parentSpanId, traceFlags: 1 },
  } as unknown as ReadableSpan;
}
