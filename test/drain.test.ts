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

const PLAYERS = 1000;

test("1,000 open sessions, SIGTERM, a game that takes 2 s: all are told within 3 s of the last room's disposal", async () => {
  await using receiver = await startReceiver();
  await using game = startApp({ beforeShutdown: 2000 }, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
  await game.message("app:ready");
  const { port } = await game.message("app:listening");
  const client = new Client(`http://127.0.0.1:${port}`);
  for (let joined = 0; joined < PLAYERS; joined += 50) {
    const rooms = await Promise.all(Array.from({ length: 50 }, () => client.joinOrCreate("arena")));
    rooms.forEach((room) => (room.reconnection.enabled = false));
  }
  game.child.kill("SIGTERM");
  const ends = () => receiver.spans.filter(({ name }) => name === "session.lifecycle");
  await receiver.waitFor(() => ends().length === PLAYERS, 30_000);
  const told = performance.timeOrigin + performance.now();
  expect(await game.exit()).toBe(0);
  const disposals = game.messages("app:disposed").map(({ at }) => at!);
  expect(disposals).toHaveLength(PLAYERS / 50);
  expect(told - Math.max(...disposals)).toBeLessThan(3000);
  expect(new Set(ends().map(({ attributes }) => attributes["session.id"])).size).toBe(PLAYERS);
  expect(new Set(ends().map(({ attributes }) => attributes["session.end_reason"]))).toEqual(
    new Set(["server_shutdown"]),
  );
}, 60_000);

test("a room that does not let its players go: at the drainDeadline they are told all the same, and the game goes on", async () => {
  await using receiver = await startReceiver();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint };
  await using game = startApp({ slowLeave: 60_000, drainDeadline: 300 }, env);
  await game.message("app:ready");
  const { port } = await game.message("app:listening");
  const room = await new Client(`http://127.0.0.1:${port}`).joinOrCreate("arena");
  room.reconnection.enabled = false;
  game.child.kill("SIGTERM");
  await receiver.waitFor(() => receiver.spans.some(({ name }) => name === "session.lifecycle"), 10_000);
  const lifecycle = receiver.spans.find(({ name }) => name === "session.lifecycle");
  expect(lifecycle?.attributes["session.end_reason"]).toBe("server_shutdown");
  expect(game.child.exitCode).toBe(null);
  expect(game.messages("app:disposed")).toEqual([]);
});

test("an error that nobody catches: sessions end as crash, and the process as it would without us", async () => {
  await using receiver = await startReceiver();
  await using game = startApp({}, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
  await game.message("app:ready");
  const { port } = await game.message("app:listening");
  const room = await new Client(`http://127.0.0.1:${port}`).joinOrCreate("arena");
  room.reconnection.enabled = false;
  game.child.send("throw");
  expect(await game.exit()).toBe(1);
  expect(game.output()).toContain("a bug of the game's");
  const lifecycle = receiver.spans.find(({ name }) => name === "session.lifecycle");
  expect(lifecycle?.attributes).toMatchObject({ "session.end_reason": "crash", "session.end_type": "crash" });
});

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
