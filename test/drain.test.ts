import { Client } from "@colyseus/sdk";
import { expect, test } from "vitest";
import { startReceiver } from "../demo/receiver/receiver.ts";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { startApp } from "./_app.ts";

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s: open sessions end with server_shutdown and leave before the process does",
  async (signal) => {
    await using receiver = await startReceiver();
    await using game = startApp({}, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
    const { port } = await game.message("app:listening");
    const rooms = await Promise.all(
      Array.from({ length: 5 }, () => new Client(`http://127.0.0.1:${port}`).joinOrCreate("arena")),
    );
    rooms.forEach((room) => (room.reconnection.enabled = false));
    game.child.kill(signal);
    expect(await game.exit()).toBe(0);
    expect(game.output()).toContain("said before,after");
    const ends = receiver.spans.filter(({ name }) => name === "session.lifecycle");
    expect(ends.map(({ attributes }) => attributes["session.end_reason"])).toEqual(Array(5).fill("server_shutdown"));
  },
);

test("a collector that is not there does not keep a process from ending", async () => {
  await using game = startApp({}, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" });
  await game.message("app:ready");
  const asked = performance.now();
  game.child.kill("SIGTERM");
  expect(await game.exit()).toBe(0);
  expect(performance.now() - asked).toBeLessThan(5000);
});

test("nothing of ours keeps a process alive whose server was shut down", async () => {
  await using receiver = await startReceiver();
  await using sidecar = await startSidecar();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, AGONES_SDK_GRPC_PORT: String(sidecar.port) };
  await using game = startApp({ stopByItself: true, agones: {} }, env);
  expect(await game.exit(), game.output()).toBe(0);
});

test("a player who joins the moment the server is Ready, before the SDK is loaded, is in the trace with true times", async () => {
  await using receiver = await startReceiver();
  await using game = startApp({}, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
  const { port } = await game.message("app:listening");
  const before = performance.timeOrigin + performance.now();
  const room = await new Client(`http://127.0.0.1:${port}`).joinOrCreate("arena");
  const after = performance.timeOrigin + performance.now();
  await room.leave();
  await receiver.waitFor(() => receiver.spans.some(({ name }) => name === "session.lifecycle"), 10_000);
  const join = receiver.spans.find(({ name }) => name === "room.join arena")!;
  expect(join.startMs).toBeGreaterThan(before);
  expect(join.endMs).toBeLessThan(after + 5);
  expect(join.parentSpanId).toBe(receiver.spans.find(({ name }) => name === "matchmake arena")!.spanId);
  expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).toBe(receiver.spans.length);
});
