import { createServer } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { startReceiver, type ReceivedSpan, type Receiver } from "../demo/receiver/receiver.ts";
import { startApp, type AppOptions } from "./_app.ts";

async function bootSpans(receiver: Receiver, last = "gameserver.boot"): Promise<ReadonlyMap<string, ReceivedSpan>> {
  await receiver.waitFor(() => receiver.spans.some(({ name }) => name === last), 10_000);
  return new Map(receiver.spans.map((span) => [span.name, span]));
}

function start(receiver: Receiver, app: AppOptions = {}, env: NodeJS.ProcessEnv = {}) {
  return startApp(app, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env });
}

test("the boot is told from process start to listening, phase by phase, in order", async () => {
  await using receiver = await startReceiver();
  await using game = start(receiver, { beforeListen: 40 });
  await game.message("app:ready");
  const spans = await bootSpans(receiver);
  const [boot, load, prepare, listen] = ["", ".load", ".prepare", ".listen"].map((part) =>
    spans.get(`gameserver.boot${part}`)!,
  );
  expect(boot!.parentSpanId).toBeUndefined();
  expect(boot!.startMs).toBeGreaterThanOrEqual(game.spawnedAt - 2);
  expect(boot!.startMs).toBeLessThan(load!.endMs);
  expect(load!.startMs).toBeCloseTo(boot!.startMs, 0);
  expect(prepare!.startMs).toBeGreaterThanOrEqual(load!.endMs);
  expect(prepare!.endMs - prepare!.startMs).toBeGreaterThanOrEqual(38);
  expect(listen!.startMs).toBeGreaterThanOrEqual(prepare!.endMs - 0.01);
  expect(boot!.endMs).toBeGreaterThanOrEqual(listen!.endMs);
  for (const phase of [load, prepare, listen]) {
    expect(phase!.parentSpanId).toBe(boot!.spanId);
  }
});

test("map loads and phases of the game's own are parts of the boot, also those that were over before instrument()", async () => {
  await using receiver = await startReceiver();
  await using game = start(receiver, { earlyMap: 30 });
  await game.message("app:ready");
  await bootSpans(receiver);
  // The game's own, held back until the SDK is loaded.
  await receiver.waitFor((spans) => spans.some(({ name }) => name === "read tiles"));
  const parentOf = (span: ReceivedSpan) => receiver.spans.find(({ spanId }) => spanId === span.parentSpanId)?.name;
  const maps = receiver.spans.filter(({ name }) => name === "gameserver.map_load");
  expect(maps.map((span) => [span.attributes["game.map"], parentOf(span)])).toEqual([
    ["early", "gameserver.boot"],
    ["arena", "gameserver.boot"],
  ]);
  expect(maps[0]!.endMs - maps[0]!.startMs).toBeGreaterThanOrEqual(28);
  const phase = receiver.spans.find(({ name }) => name === "gameserver.boot.phase")!;
  expect([phase.attributes["game.boot.phase"], parentOf(phase)]).toEqual(["services", "gameserver.boot"]);
  const { host, port } = (await game.message("app:ready")).endpoints!;
  const { boot } = (await (await fetch(`http://${host}:${port}/readyz`)).json()) as { boot: Record<string, number> };
  expect(boot["map_load"]).toBeGreaterThanOrEqual(0.028);
  const own = receiver.spans.find(({ name }) => name === "read tiles")!;
  expect(parentOf(own)).toBe("gameserver.map_load");
});

test("the boot continues the TRACEPARENT of whoever started the process", async () => {
  await using receiver = await startReceiver();
  await using game = start(receiver, {}, { TRACEPARENT: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });
  await game.message("app:ready");
  const boot = (await bootSpans(receiver)).get("gameserver.boot")!;
  expect([boot.traceId, boot.parentSpanId]).toEqual(["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"]);
});

test("a malformed TRACEPARENT starts a new trace", async () => {
  await using receiver = await startReceiver();
  await using game = start(receiver, {}, { TRACEPARENT: "00-zz-01" });
  await game.message("app:ready");
  expect((await bootSpans(receiver)).get("gameserver.boot")!.parentSpanId).toBeUndefined();
});

test("a boot that fails because its port is taken is exported with its error", async () => {
  await using receiver = await startReceiver();
  const blocker = createServer().listen(0, "127.0.0.1");
  await once(blocker, "listening");
  await using game = start(receiver, { port: (blocker.address() as { port: number }).port });
  const { reason } = await game.message("app:failed");
  blocker.close();
  expect(reason).toContain("EADDRINUSE");
  const spans = await bootSpans(receiver);
  expect(spans.get("gameserver.boot")!.attributes["error.type"]).toBe("listen_failed");
  expect(spans.get("gameserver.boot")!.status).toMatchObject({ message: expect.stringContaining("EADDRINUSE") });
  expect(spans.get("gameserver.boot.listen")!.attributes["error.type"]).toBe("listen_failed");
});

test("a failing listen() rejects with the game's own error once the boot is exported, even when the process exits at once", async () => {
  await using receiver = await startReceiver();
  await using game = start(receiver, { beforeListen: "throw", exitOnFailure: true });
  expect(await game.exit()).toBe(7);
  const boot = (await bootSpans(receiver)).get("gameserver.boot")!;
  expect(boot.status.message).toBe("Error: no database");
  expect(receiver.spans.map(({ name }) => name)).not.toContain("gameserver.boot.listen");
});

test("an uncaught failure of the boot ends the process as it does without us, and is exported", async () => {
  await using receiver = await startReceiver();
  await using game = start(receiver, { beforeListen: "throw" });
  expect(await game.exit()).toBe(1);
  expect((await bootSpans(receiver)).get("gameserver.boot")!.status.message).toBe("Error: no database");
  expect(game.output()).toContain("no database");
});

test("a boot that is killed before Ready says that it was interrupted", async () => {
  await using receiver = await startReceiver();
  await using game = start(receiver, { beforeListen: 60_000 });
  await expect.poll(() => game.child.connected).toBe(true);
  await game.message("app:booting");
  game.child.kill("SIGTERM");
  expect(await game.exit()).toBe(0);
  expect((await bootSpans(receiver)).get("gameserver.boot")!.attributes["error.type"]).toBe("interrupted");
});
