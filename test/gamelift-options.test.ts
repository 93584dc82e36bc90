import { Room } from "@colyseus/core";
import { gamelift } from "colyseus-otel/gamelift";
import { afterEach, expect, test, vi } from "vitest";
import { startGameLift } from "../standins/gamelift-socket.ts";
import { quickGameLift, startFleet, useGameLift } from "./_gamelift.ts";
import { startServer } from "./_server.ts";

class Arena extends Room {}

afterEach(() => vi.restoreAllMocks());

test.each<[unknown, string]>([
  [{ dedline: 5 }, 'gamelift: unknown option "dedline" (5); known are server, deadline, port,'],
  [{ deadline: 0 }, "gamelift.deadline must be a positive number of milliseconds, got 0"],
  [{ port: 70_000 }, "gamelift.port must be a port"],
  [{ logPaths: "/var/log" }, 'gamelift.logPaths must be an array of strings, got "/var/log"'],
  [{ onGameSession: "load" }, 'gamelift.onGameSession must be a function, got "load"'],
  [{ onUpdate: 1 }, "gamelift.onUpdate must be a function, got 1"],
  [{ health: true }, "gamelift.health must be a function, got true"],
  [{ playerSessionOf: {} }, "gamelift.playerSessionOf must be a function, got {}"],
  [{ readPlayerData: 1 }, "gamelift.readPlayerData must be true or false, got 1"],
  [{ activationTimeout: "300" }, 'gamelift.activationTimeout must be a positive number of milliseconds, got "300"'],
  [{ server: "wss://x" }, 'gamelift.server: options must be an object, got "wss://x"'],
  [{ server: { token: "17171717" } }, 'gamelift.server: unknown option "token"; known are webSocketUrl, authToken'],
  [{ server: null }, "gamelift.server: options must be an object, got null"],
  [{ server: { authToken: 17_171_717 } }, "gamelift.server.authToken must be a string that is not empty"],
])("%j is a TypeError that names option and value", (options, message) => {
  const wrong = () => gamelift(options as object);
  expect(wrong).toThrow(TypeError);
  expect(wrong).toThrow(message);
  expect(wrong).not.toThrow(/17171717/);
});

test("what is missing in the environment fails the boot in one line, and the game goes on", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  useGameLift({ url: "" });
  await using game = await startServer({ arena: Arena }, { orchestrator: gamelift() });
  await expect(game.telemetry.ready).rejects.toThrow(/^GAMELIFT_SDK_WEBSOCKET_URL is not set/);
  expect(warned.mock.calls.flat().filter((line) => String(line).includes("the boot failed"))).toHaveLength(1);
  const room = await game.client().joinOrCreate("arena");
  await room.leave();
});

test("a process that GameLift does not take fails the boot, with the service's reason", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  await using fleet = await startFleet(Arena, {
    before: (service) => service.fault("ActivateServerProcess", { status: 403 }),
  });
  await expect(fleet.game.telemetry.ready).rejects.toThrow(
    /^GameLift did not take this process in 10\.0 s: GameLiftError: ActivateServerProcess: status 403 on command\. Was port/,
  );
  expect(fleet.game.recorded.one("gamelift.process_ready").attributes).toMatchObject({
    "error.type": "orchestrator_failed",
    "gamelift.attempts": 1,
  });
  expect(fleet.service.process().heartbeats).toEqual([]);
});

test("no service: the boot fails at its deadline, and at the end nobody is told, nor waited for", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  useGameLift({ url: "ws://127.0.0.1:1" });
  const orchestrator = quickGameLift({ deadline: 200 });
  await using game = await startServer({ arena: Arena }, { orchestrator });
  await expect(game.telemetry.ready).rejects.toThrow(
    /^no GameLift at 127\.0\.0\.1:1: \d+ connection attempts in 0\.2 s/,
  );
  expect(game.recorded.one("gamelift.connect").attributes["error.type"]).toBe("orchestrator_failed");
  await expect(orchestrator.getComputeCertificate()).rejects.toMatchObject({ failure: "closed" });
  await game.server.gracefullyShutdown(false);
  expect(warned.mock.calls.flat().join()).not.toContain("was not told");
});

test("calls before there is a connection, or a game session, say so", async () => {
  await expect(gamelift().getComputeCertificate()).rejects.toThrow(
    "GetComputeCertificate: this server is not connected to GameLift",
  );
  await using fleet = await startFleet(Arena);
  await fleet.game.telemetry.ready;
  await expect(fleet.gamelift.acceptPlayerSession("psess-1")).rejects.toThrow(
    "AcceptPlayerSession: there is no game session",
  );
  expect([fleet.gamelift.gameSession, fleet.gamelift.terminationTime]).toEqual([undefined, undefined]);
});

test("keys instead of a token: the connection is signed, anew each time as a signature is good for minutes", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  await using service = await startGameLift();
  useGameLift(service);
  process.env["GAMELIFT_SDK_AUTH_TOKEN"] = "";
  const server = { region: "eu-central-1", accessKeyId: "AKIA", secretAccessKey: "hush", sessionToken: "st" };
  await using game = await startServer({ arena: Arena }, { orchestrator: quickGameLift({ server, port: 7777 }) });
  await game.telemetry.ready;
  expect(service.process().port).toBe(7777);
  expect(service.connections[0]).toMatchObject({
    Authorization: "SigV4",
    ComputeId: "host-1",
    "X-Amz-Credential": expect.stringMatching(/^AKIA\/\d{8}\/eu-central-1\/gamelift\/aws4_request$/),
    "X-Amz-Signature": expect.stringMatching(/^[0-9a-f]{64}$/),
    "X-Amz-Security-Token": "st",
  });
  vi.spyOn(Date, "now").mockReturnValue(Date.UTC(2030, 0, 2, 3, 4, 5));
  service.cut();
  await service.waitFor("the next connection", () => service.connections.length === 2 && service.open === 1);
  expect(service.connections[1]!["X-Amz-Date"]).toBe("20300102T030405Z");
  expect(service.connections[1]!["IdempotencyToken"]).toBe(service.connections[0]!["IdempotencyToken"]);
});
