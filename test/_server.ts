import { Client } from "@colyseus/sdk";
import { matchMaker, Server, type Room } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";
import type { AddressInfo } from "node:net";
import { instrument, type InstrumentOptions, type Telemetry } from "colyseus-otel";
import { recordTelemetry, type RecordingTelemetry } from "./_telemetry.ts";

type RoomClass = new (...args: never[]) => Room;

export interface TestServer extends AsyncDisposable {
  readonly server: Server;
  readonly telemetry: Telemetry;
  readonly recorded: RecordingTelemetry;
  readonly url: string;
  client(headers?: Record<string, string>): Client;
}

/** A real Colyseus server on a free port, under instrument() with an SDK that records in memory. */
export async function startServer(
  rooms: Record<string, RoomClass>,
  options: InstrumentOptions = {},
  recorded: RecordingTelemetry = recordTelemetry(),
): Promise<TestServer> {
  const server = new Server({ greet: false, gracefullyShutdown: false, transport: new WebSocketTransport({}) });
  for (const [name, room] of Object.entries(rooms)) {
    server.define(name, room);
  }
  const { tracerProvider, meterProvider } = recorded;
  const telemetry = instrument(server, { endpoints: false, tracerProvider, meterProvider, ...options });
  await server.listen(0, "127.0.0.1");
  const { port } = server.transport.server!.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    server,
    telemetry,
    recorded,
    url,
    client: (headers) => new Client(url, headers && { headers }),
    async [Symbol.asyncDispose]() {
      if (matchMaker.state !== matchMaker.MatchMakerState.SHUTTING_DOWN) {
        await server.gracefullyShutdown(false);
      }
      for (const name of Object.keys(rooms)) {
        server.removeRoomType(name);
      }
      await telemetry.shutdown();
    },
  };
}

/** Waits for a predicate, with what it waited for in the error. */
export async function until(what: string, predicate: () => unknown, timeout = 5000): Promise<void> {
  const deadline = performance.now() + timeout;
  while (!(await predicate())) {
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeout} ms for ${what}`);
    }
    await new Promise((next) => setImmediate(next));
  }
}
