import { spawn } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { Client } from "@colyseus/sdk";
import { expect, onTestFinished, test } from "vitest";
import { startReceiver } from "../../demo/receiver/receiver.ts";

interface TheirApp {
  readonly home: string;
  readonly args: readonly string[];
  readonly room: string;
}

const { home, args, room } = JSON.parse(process.env["MATRIX_APP"]!) as TheirApp;

test("a game that others wrote is traced by the preload alone", async () => {
  await using receiver = await startReceiver();
  const port = await freePort();
  const game = spawn(process.execPath, ["--import", "colyseus-otel/register", ...args], {
    cwd: home,
    env: {
      ...process.env,
      PORT: String(port),
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      COLYSEUS_OTEL_ENDPOINTS: "0",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void game.kill("SIGKILL"));
  let output = "";
  game.stdout.on("data", (chunk: Buffer) => (output += String(chunk)));
  game.stderr.on("data", (chunk: Buffer) => (output += String(chunk)));
  const closed = once(game, "close");
  const has = (name: string) => receiver.spans.some((span) => span.name === name);
  await receiver
    .waitFor(() => has("gameserver.boot"), 15_000)
    .catch((error: unknown) => {
      throw new Error(`${String(error)}; the game said: ${output}`);
    });

  const player = await new Client(`http://127.0.0.1:${port}`).joinOrCreate(room);
  await player.leave();
  await receiver.waitFor(() => has("session.lifecycle"), 10_000);
  game.kill("SIGTERM");
  await closed;

  const spans = new Map(receiver.spans.map((span) => [span.name, span]));
  const parentOf = (name: string) =>
    receiver.spans.find(({ spanId }) => spanId === spans.get(name)?.parentSpanId)?.name;
  expect(parentOf("gameserver.boot.listen")).toBe("gameserver.boot");
  expect(parentOf(`room.create ${room}`)).toBe(`matchmake ${room}`);
  expect(parentOf(`room.join ${room}`)).toBe(`matchmake ${room}`);
  expect(parentOf(`room.on_leave ${room}`)).toBe("session.started");
  expect(output).not.toContain("colyseus-otel:");
});

/** Theirs take a port of the environment, and tell it only in words. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
