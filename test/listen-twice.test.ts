import { Room, Server } from "@colyseus/core";
import { Client } from "@colyseus/sdk";
import { WebSocketTransport } from "@colyseus/ws-transport";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { instrument } from "colyseus-otel";
import { until } from "./_server.ts";
import { recordTelemetry, spanTree } from "./_telemetry.ts";

/** As core does on Colyseus Cloud: its listen() has @colyseus/tools call listen() again. */
class CloudServer extends Server {
  override async listen(port: number | string, hostname?: string): Promise<void> {
    return hostname === undefined ? this.listen(port, "127.0.0.1") : super.listen(port, hostname);
  }
}

async function started(server: Server) {
  server.define("arena", class extends Room {});
  const recorded = recordTelemetry();
  const { tracerProvider, meterProvider } = recorded;
  const telemetry = instrument(server, { endpoints: false, tracerProvider, meterProvider });
  return {
    recorded,
    telemetry,
    async [Symbol.asyncDispose]() {
      await server.gracefullyShutdown(false);
      server.removeRoomType("arena");
      await telemetry.shutdown();
    },
  };
}

const BOOT = `gameserver.boot
  gameserver.boot.load
  gameserver.boot.prepare
  gameserver.boot.listen`;

const options = () => ({ greet: false, gracefullyShutdown: false, transport: new WebSocketTransport({}) });

test("a listen() inside a listen() is one boot", async () => {
  const server = new CloudServer(options());
  await using game = await started(server);
  await server.listen(0);
  await game.telemetry.ready;
  expect(spanTree(game.recorded.spans())).toBe(BOOT);
});

test("a listen() after the boot is nobody's boot, and the server goes on", async () => {
  const server = new Server(options());
  await using game = await started(server);
  await server.listen(0, "127.0.0.1");
  await game.telemetry.ready;
  const { port } = server.transport.server!.address() as AddressInfo;
  await expect(server.listen(0, "127.0.0.1")).rejects.toThrow("called more than once");
  expect(spanTree(game.recorded.spans())).toBe(BOOT);
  const room = await new Client(`http://127.0.0.1:${port}`).joinOrCreate("arena");
  await room.leave();
  await until("the leave", () => game.recorded.named("session.lifecycle").length === 1);
});
