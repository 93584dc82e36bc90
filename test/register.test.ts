import { Client } from "@colyseus/sdk";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { startReceiver } from "../demo/receiver/receiver.ts";
import { mintTicket } from "../example-server/tickets.ts";
import { on17 } from "./_colyseus.ts";
import { app, byName, JOURNEY, play, playedSpans, start, watchingLoads } from "./_register.ts";

const traceable = (name: string) => !on17 || name.endsWith(".ts");

test.each(
  [
    ["an ES module with defineServer()", "plain.ts"] as const,
    ["a CommonJS program with new Server()", "plain.cjs"] as const,
    ["@colyseus/tools with listen(app)", "plain-tools.cjs"] as const,
  ].filter(([, name]) => traceable(name)),
)("%s is traced from process start to the last player, without a line of ours", async (_what, name) => {
  const { game, receiver, spans } = await playedSpans(name);
  expect(receiver.spans.map((span) => span.name).sort()).toEqual(JOURNEY);
  const [boot, load] = [spans.get("gameserver.boot")!, spans.get("gameserver.boot.load")!];
  expect(spans.get("room.join arena")!.parentSpanId).toBe(spans.get("matchmake arena")!.spanId);
  expect(load.parentSpanId).toBe(boot.spanId);
  expect(load.startMs).toBeCloseTo(boot.startMs, 0);
  expect(load.endMs).toBeLessThanOrEqual(spans.get("gameserver.boot.prepare")!.startMs);
  expect(boot.resource["service.name"]).toBe("plain");
  expect(game.output()).not.toContain("colyseus-otel");
});

test.each(["plain.ts", "plain.cjs"].filter(traceable))(
  "a counter of %s that is older than its server is counted",
  async (name) => {
    const env = { OTEL_METRICS_EXPORTER: "otlp", OTEL_METRIC_EXPORT_INTERVAL: "100" };
    const { receiver } = await playedSpans(name, env);
    expect(receiver.metrics.map((metric) => metric.name)).toContain("game.clicks");
  },
);

test("mapLoad() of an app that imports the package is a part of the boot: there is one copy of us", async () => {
  const { spans } = await playedSpans("plain.ts", { PLAIN: "map" });
  const map = spans.get("gameserver.map_load")!;
  expect(map.attributes["game.map"]).toBe("early");
  expect(map.parentSpanId).toBe(spans.get("gameserver.boot")!.spanId);
  expect(map.endMs - map.startMs).toBeGreaterThanOrEqual(28);
});

test("a program with lines of its own is traced once, with the options of these lines, and nothing is said", async () => {
  const { game, receiver, spans } = await playedSpans("plain-instrumented.ts", { COLYSEUS_OTEL_TRUST: "never read" });
  expect(receiver.spans.map((span) => span.name).sort()).toEqual(JOURNEY);
  expect(spans.get("gameserver.boot")!.resource["game.build"]).toBe("own");
  expect(game.output()).not.toContain("colyseus-otel");
});

test("a program whose own instrument() comes after listen() gets our handle and one warning, and no error", async () => {
  const { game, receiver } = await playedSpans("plain-instrumented.ts", { PLAIN: "late" });
  expect(receiver.spans.map((span) => span.name).sort()).toEqual(JOURNEY);
  expect(game.output().match(/^colyseus-otel:/gm)?.length, game.output()).toBe(1);
  expect(game.output()).toContain("instrument() came after listen()");
});

test("of two servers the first that listens is the traced one", async () => {
  const { listening } = start([app("plain.ts")], { OTEL_TRACES_EXPORTER: "none", PLAIN: "second" });
  expect((await listening()).traced).toBe(false);
  const alone = start([app("plain.ts")], { OTEL_TRACES_EXPORTER: "none" });
  expect((await alone.listening()).traced).toBe(true);
});

test("a game server in a worker thread is left alone", async () => {
  const game = start([app("plain-worker.ts")], { OTEL_TRACES_EXPORTER: "none" });
  expect((await game.listening()).traced).toBe(false);
  expect(game.output()).toBe("");
});

test("a program that is no Colyseus server says nothing, loads nothing but the preload, and ends", async () => {
  const print = "process.disconnect(); console.log(JSON.stringify(loaded))";
  const program = start(["--eval", print], watchingLoads("loaded.push(url)"));
  expect(await program.exit(), program.output()).toBe(0);
  const loaded = (JSON.parse(program.output()) as string[]).filter((url) => url.startsWith("file:"));
  expect(loaded[0]).toMatch(/\/dist\/register\.js$/);
  expect(loaded.slice(1).filter((url) => !url.includes("/dist/shared/"))).toEqual([]);
});

test.each([
  ["@opentelemetry/context-async-hooks", "telemetry is not started: Error: broken"],
  ["colyseus-otel itself", "this server is not traced: Error: broken"],
])("the game is played although %s cannot be loaded, and one warning says so", async (broken, said) => {
  const entry = createRequire(import.meta.url).resolve("colyseus-otel");
  const part = broken.startsWith("@") ? broken : pathToFileURL(entry).href;
  const env = watchingLoads(`if (url.includes("${part}")) throw new Error("broken")`);
  const game = start([app("plain.ts")], env);
  await play((await game.listening()).port);
  expect(game.output().match(/^colyseus-otel: .*$/gm)).toEqual([`colyseus-otel: ${said}`]);
});

test("the example game plays under the preload", async () => {
  await using receiver = await startReceiver();
  const example = fileURLToPath(new URL("../example-server/plain.ts", import.meta.url));
  const game = start([example], { PORT: "0", OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
  const client = new Client(`http://127.0.0.1:${(await game.listening()).port}`);
  client.auth.token = mintTicket({ playerId: "ada", expires: Date.now() + 60_000 });
  await (await client.joinOrCreate("arena")).leave();
  expect(await game.stop(), game.output()).toBe(0);
  const spans = byName(receiver);
  expect(spans.get("gameserver.map_load")!.parentSpanId).toBe(spans.get("room.create arena")!.spanId);
  expect(spans.get("session.lifecycle")!.traceId).toBe(spans.get("matchmake arena")!.traceId);
});
