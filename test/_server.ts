import { Client, type Room as ClientRoom } from "@colyseus/sdk";
import { context, ROOT_CONTEXT, SpanKind, trace, type SpanContext } from "@opentelemetry/api";
import { ClientState, matchMaker, Server, type Room } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { instrument, type InstrumentOptions, type Telemetry } from "colyseus-otel";
import { recordTelemetry, spanTree, type RecordingTelemetry } from "./_telemetry.ts";

type RoomClass = new () => Room;

export interface TestServer extends AsyncDisposable {
  readonly server: Server;
  readonly telemetry: Telemetry;
  readonly recorded: RecordingTelemetry;
  readonly url: string;
  client(headers?: Record<string, string>): Client;
  /** A matchmaking request without a client behind it: nobody claims the seat. */
  request(method: string, room: string, options?: unknown, headers?: Record<string, string>): Promise<MatchmakeAnswer>;
  /** The tree of what players did: everything but the boot. */
  played(): string;
}

export interface MatchmakeAnswer {
  readonly status: number;
  readonly body: { readonly sessionId: string; readonly roomId: string; readonly code: number; readonly error: string };
}

/** What a user of the global providers hands to instrument(): none. */
export const GLOBAL_PROVIDERS = {};

/** A real Colyseus server on a free port, under instrument() with an SDK that records in memory. */
export async function startServer(
  rooms: Record<string, RoomClass>,
  options: InstrumentOptions = {},
  recorded: RecordingTelemetry = recordTelemetry(),
  providers: Pick<InstrumentOptions, "tracerProvider" | "meterProvider"> = recorded,
): Promise<TestServer> {
  const server = new Server({ greet: false, gracefullyShutdown: false, transport: new WebSocketTransport({}) });
  for (const [name, room] of Object.entries(rooms)) {
    server.define(name, room);
  }
  const { tracerProvider, meterProvider } = providers;
  const telemetry = instrument(server, {
    endpoints: false,
    // A session whose token is out ends with its last room, and not 15 s later.
    session: { linger: 0 },
    ...(tracerProvider && { tracerProvider }),
    ...(meterProvider && { meterProvider }),
    ...options,
  });
  await server.listen(0, "127.0.0.1");
  const { port } = server.transport.server!.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    server,
    telemetry,
    recorded,
    url,
    client: (headers) => new Client(url, headers && { headers }),
    async request(method, room, body = {}, headers = {}) {
      const response = await fetch(`${url}/matchmake/${method}/${room}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: (await response.json()) as MatchmakeAnswer["body"] };
    },
    played: () => spanTree(recorded.spans().filter(({ name }) => !name.startsWith("gameserver."))),
    async [Symbol.asyncDispose]() {
      if (matchMaker.state !== matchMaker.MatchMakerState.SHUTTING_DOWN) {
        await server.gracefullyShutdown(false);
      }
      for (const name of Object.keys(matchMaker.getAllHandlers())) {
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

/** What an HTTP instrumentation does: each request runs in a SERVER span, which continues `parent` where there is one. */
export function underHttpSpans({ server, recorded }: TestServer, parent?: SpanContext): void {
  const http = server.transport.server!;
  const emit = http.emit.bind(http);
  const tracer = recorded.tracerProvider.getTracer("http");
  http.emit = (event: string, ...args: unknown[]) => {
    if (event !== "request") {
      return emit(event, ...args);
    }
    const caller = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
    const span = tracer.startSpan("POST", { kind: SpanKind.SERVER }, caller);
    (args[1] as ServerResponse).once("close", () => span.end());
    return context.with(trace.setSpan(ROOT_CONTEXT, span), () => emit(event, ...args));
  };
}

/** The room that runs in this process. */
export function roomOf(roomId: string): Room {
  return matchMaker.getLocalRoomById(roomId);
}

/**
 * The player's network breaks: close code 1006, and the SDK tries to come back where it may. Colyseus holds no seat for
 * a player who has not acknowledged the join.
 */
export async function drop({ roomId, sessionId }: ClientRoom): Promise<void> {
  const client = roomOf(roomId).clients.getById(sessionId)!;
  await until("the acknowledged join", () => client.state === ClientState.JOINED);
  (client.ref as unknown as { terminate(): void }).terminate();
}

/** Lets the SDK come back at once after a drop. By itself it waits seconds, and only for players of five. */
export function returnAtOnce({ reconnection }: ClientRoom): void {
  Object.assign(reconnection, { enabled: true, minUptime: 0, delay: 1, minDelay: 1, maxDelay: 5 });
}

/** The player's network breaks, and the SDK comes back to the held seat. */
export async function dropAndReturn(room: ClientRoom): Promise<void> {
  returnAtOnce(room);
  const back = new Promise<void>((resolve) => room.onReconnect.once(resolve));
  await drop(room);
  await back;
  room.reconnection.enabled = false;
}
