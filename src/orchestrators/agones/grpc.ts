import type { Client, ClientReadableStream } from "@grpc/grpc-js";
import { decodeGameServer, encodeKeyValue } from "./message.ts";
import { sidecarHost, type GameServer, type Sidecar, type Way } from "./sidecar.ts";

const SERVICE = "/agones.dev.sdk.SDK";
const EMPTY = {};
const NOTHING: Buffer = Buffer.alloc(0);

/** By itself grpc-js pauses for up to two minutes between attempts: a server is Unhealthy after 15 s without a ping. */
const CHANNEL = { "grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 500 };

export function overGrpc(env: NodeJS.ProcessEnv = process.env): Way {
  const [host, port] = [sidecarHost(env), Number(env["AGONES_SDK_GRPC_PORT"] || 9357)];
  return { host, port, protocol: "gRPC", variable: "AGONES_SDK_GRPC_PORT", open: () => loadSidecar(`${host}:${port}`) };
}

/**
 * Loads grpc-js, and nothing else: the official SDK brings the generated code of its alpha and beta parts, of OpenAPI
 * annotations, and a grpc-js of its own beside the exporter's. That was 34 ms of a boot of 350.
 */
async function loadSidecar(target: string): Promise<Sidecar> {
  const grpc = await import("@grpc/grpc-js").catch((cause: unknown) => {
    throw new Error(
      'agones() needs the package @grpc/grpc-js: npm install @grpc/grpc-js, or use agones({ transport: "http" })',
      { cause },
    );
  });
  return createSidecar(new grpc.Client(target, grpc.credentials.createInsecure(), CHANNEL));
}

function createSidecar(client: Client): Sidecar {
  const stops = new Set<() => void>();

  function ask<T>(method: string, ms: number, decode: (bytes: Buffer) => T, request = NOTHING): Promise<T> {
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `${SERVICE}/${method}`,
        asItIs,
        decode,
        request,
        { deadline: Date.now() + ms },
        (error, answer) => (error ? reject(error) : resolve(answer as T)),
      );
    });
  }

  return {
    connect: (ms) =>
      new Promise<void>((resolve, reject) => {
        client.waitForReady(Date.now() + ms, (error) => (error ? reject(error) : resolve()));
      }),
    ready: (ms) => ask("Ready", ms, decodeEmpty),
    shutdown: (ms) => ask("Shutdown", ms, decodeEmpty),
    setAnnotation: (key, value, ms) => ask("SetAnnotation", ms, decodeEmpty, encodeKeyValue(key, value)),
    getGameServer: (ms) => ask("GetGameServer", ms, decodeGameServer),
    ping: (ms) => ping(client, ms),
    watch(onUpdate, onEnd) {
      const call = client.makeServerStreamRequest(`${SERVICE}/WatchGameServer`, asItIs, decodeGameServer, NOTHING);
      const stop = follow(call, onUpdate, (problem) => {
        stops.delete(stop);
        onEnd(problem);
      });
      stops.add(stop);
      return () => {
        stops.delete(stop);
        stop();
      };
    },
    close() {
      stops.forEach((stop) => stop());
      client.close();
    },
  };
}

/**
 * A stream for each ping: its answer says that the ping was taken. On one stream for all, the first ping after the
 * sidecar's death and every later one are lost in silence.
 */
function ping(client: Client, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = client.makeClientStreamRequest(
      `${SERVICE}/Health`,
      asItIs,
      decodeEmpty,
      { deadline: Date.now() + ms },
      (error) => (error ? reject(error) : resolve()),
    );
    // What fails is told to the callback; an error event that nobody hears would end the process.
    stream.on("error", () => {});
    stream.write(NOTHING);
    stream.end();
  });
}

/** Returns what stops it. Destroying the stream would not end its call: the connection stays, and the process with it. */
function follow(
  call: ClientReadableStream<GameServer>,
  onUpdate: (gameServer: GameServer) => void,
  onEnd: (problem: unknown) => void,
): () => void {
  let over = false;
  const end = (problem: unknown) => {
    if (!over) {
      over = true;
      onEnd(problem);
    }
  };
  call.on("data", (gameServer: GameServer) => over || onUpdate(gameServer));
  call.on("error", end);
  call.on("end", () => end("the sidecar ended it"));
  return () => {
    over = true;
    call.cancel();
  };
}

function asItIs(bytes: Buffer): Buffer {
  return bytes;
}

function decodeEmpty(): object {
  return EMPTY;
}
