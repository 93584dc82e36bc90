import { Client } from "@colyseus/sdk";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { startReceiver } from "../demo/receiver/receiver.ts";
import { startGameLift } from "../standins/gamelift-socket.ts";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { app, byName, play, playedSpans, start } from "./_register.ts";
import { until } from "./_server.ts";

test("in a pod of Agones the server asks for Ready, and continues the allocation's trace", async () => {
  await using sidecar = await startSidecar();
  await using receiver = await startReceiver();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, AGONES_SDK_GRPC_PORT: String(sidecar.port) };
  const game = start([app("plain.ts")], env);
  const { port } = await game.listening();
  await sidecar.waitFor(({ state }) => state === "Ready", 10_000);
  sidecar.allocate({ annotations: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" } });
  await receiver.waitFor((spans) => spans.some(({ name }) => name === "gameserver.boot"), 10_000);
  await play(port);
  expect(await game.stop(), game.output()).toBe(0);
  const allocated = byName(receiver).get("gameserver.allocated")!;
  expect([allocated.traceId, allocated.parentSpanId]).toEqual(["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"]);
  expect([...byName(receiver).keys()]).toEqual(expect.arrayContaining(["agones.connect", "agones.ready"]));
  expect(sidecar.calls.shutdown).toBe(1);
});

test.each([
  ["COLYSEUS_OTEL_ORCHESTRATOR=none", { COLYSEUS_OTEL_ORCHESTRATOR: "none" }, ""],
  ["a program that loads the Agones SDK itself", { PLAIN: "agones-sdk" }, "COLYSEUS_OTEL_ORCHESTRATOR=agones"],
])("%s leaves Agones to the program", async (_what, env, said) => {
  await using sidecar = await startSidecar();
  const port = String(sidecar.port);
  const { game, spans } = await playedSpans("plain.ts", { AGONES_SDK_GRPC_PORT: port, ...env });
  expect([...spans.keys()].filter((name) => name.startsWith("agones"))).toEqual([]);
  expect([sidecar.calls, sidecar.state()]).toEqual([{}, "Scheduled"]);
  expect(game.output()).toContain(said);
});

test("COLYSEUS_OTEL_ORCHESTRATOR=agones asks for Ready although the program has loaded the Agones SDK", async () => {
  await using sidecar = await startSidecar();
  const env = { COLYSEUS_OTEL_ORCHESTRATOR: "agones", PLAIN: "agones-sdk", OTEL_TRACES_EXPORTER: "none" };
  const game = start([app("plain.ts")], { AGONES_SDK_GRPC_PORT: String(sidecar.port), ...env });
  await sidecar.waitFor(({ state }) => state === "Ready", 10_000);
  expect(game.output()).toBe("");
});

test("COLYSEUS_OTEL_ORCHESTRATOR=gamelift lives on a fleet by the environment alone, and ends when it is told to", async () => {
  await using service = await startGameLift();
  const game = start([app("plain.ts")], {
    COLYSEUS_OTEL_ORCHESTRATOR: "gamelift",
    OTEL_TRACES_EXPORTER: "none",
    GAMELIFT_SDK_WEBSOCKET_URL: service.url,
    GAMELIFT_SDK_AUTH_TOKEN: "token-1",
    GAMELIFT_SDK_PROCESS_ID: "process-1",
    GAMELIFT_SDK_HOST_ID: "host-1",
    GAMELIFT_SDK_FLEET_ID: "fleet-1",
  });
  await service.waitFor("a heartbeat", () => service.calls["HeartbeatServerProcess"] === 1, 10_000);
  const id = service.createGameSession();
  await service.waitFor("the game session to be active", () => service.gameSessions.get(id)?.status === "ACTIVE");
  service.terminate();
  await service.waitFor("the goodbye", () => service.calls["TerminateServerProcess"] === 1, 10_000);
  expect(await game.exit(), game.output()).toBe(0);
});

test("endpoints, trust and annotations are what COLYSEUS_OTEL_* say", async () => {
  await using sidecar = await startSidecar();
  await using receiver = await startReceiver();
  const admin = await freePort();
  const game = start([app("plain.ts")], {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    AGONES_SDK_GRPC_PORT: String(sidecar.port),
    COLYSEUS_OTEL_ENDPOINTS: `[::1]:${admin}`,
    COLYSEUS_OTEL_TRUST: "link",
    COLYSEUS_OTEL_ANNOTATIONS: "first.example/trace, second.example/trace",
  });
  const { port } = await game.listening();
  await until("/readyz", async () => (await fetch(`http://[::1]:${admin}/readyz`).catch(() => undefined))?.ok, 10_000);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  sidecar.allocate({ annotations: { "second.example/trace": traceparent } });
  await receiver.waitFor((spans) => spans.some(({ name }) => name === "gameserver.boot"), 10_000);
  const room = await new Client(`http://127.0.0.1:${port}`).joinOrCreate("arena", { traceparent });
  await room.leave();
  expect(await game.stop()).toBe(0);
  const spans = byName(receiver);
  expect(spans.get("gameserver.allocated")!.parentSpanId).toBe("b7ad6b7169203331");
  expect(spans.get("matchmake arena")!.links.map(({ spanId }) => spanId)).toEqual(["b7ad6b7169203331"]);
});

test("COLYSEUS_OTEL_ENDPOINTS=off opens no admin port", async () => {
  const ports = async (endpoints: string) => {
    const env = { COLYSEUS_OTEL_ENDPOINTS: endpoints, OTEL_TRACES_EXPORTER: "none" };
    return (await start([app("plain.ts")], env).listening()).ports;
  };
  expect([await ports("0"), await ports("off")]).toEqual([2, 1]);
});

test.each([
  ["COLYSEUS_OTEL_ORCHESTRATOR", "nomad", "none is used"],
  ["COLYSEUS_OTEL_TRUST", "everybody", "continue is used"],
  ["COLYSEUS_OTEL_ENDPOINTS", "localhost:http", "127.0.0.1:9464 is used"],
  ["COLYSEUS_OTEL_ENDPOINTS", "70000", "127.0.0.1:9464 is used"],
  ["COLYSEUS_OTEL_TURST", "link", "is not known and does nothing"],
])("%s=%s is told in one warning that says what is used instead, and the app starts", async (name, value, instead) => {
  const what = instead.includes("not known") ? name : `${name}=${JSON.stringify(value)}`;
  const game = start([app("plain.ts")], { OTEL_TRACES_EXPORTER: "none", [name]: value });
  expect((await game.listening()).traced).toBe(true);
  const said = game.output().match(/^.*COLYSEUS_OTEL.*$/gm) ?? [];
  expect(said, game.output()).toEqual([expect.stringContaining(instead)]);
  expect(said[0]).toContain(what);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "::1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
