import type { Client, ClientReadableStream, ClientWritableStream } from "@grpc/grpc-js";
import { decodeGameServer } from "./message.ts";
import { sidecarAddress, type AgonesSdk, type GameServer } from "./sdk.ts";

const SERVICE = "/agones.dev.sdk.SDK";
const EMPTY = {};

/**
 * Loads grpc-js, and nothing else: the official SDK brings the generated code of its alpha and beta parts, of OpenAPI
 * annotations, and a grpc-js of its own beside the exporter's. That was 34 ms of a boot of 350.
 */
export async function loadClient(): Promise<AgonesSdk> {
  const grpc = await import("@grpc/grpc-js").catch((cause: unknown) => {
    throw new Error("agones() needs the package @grpc/grpc-js: npm install @grpc/grpc-js", { cause });
  });
  const { host, port } = sidecarAddress();
  return createClient(new grpc.Client(`${host}:${port}`, grpc.credentials.createInsecure()));
}

function createClient(client: Client): AgonesSdk {
  const watches: ClientReadableStream<GameServer>[] = [];
  let pings: ClientWritableStream<object> | undefined;

  function ask<T>(method: string, decode: (bytes: Buffer) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(`${SERVICE}/${method}`, encodeEmpty, decode, EMPTY, (error, answer) =>
        error ? reject(error) : resolve(answer as T),
      );
    });
  }

  return {
    connect: () =>
      new Promise((resolve, reject) => {
        client.waitForReady(Infinity, (error) => (error ? reject(error) : resolve()));
      }),
    ready: () => ask("Ready", decodeEmpty),
    shutdown: () => ask("Shutdown", decodeEmpty),
    getGameServer: () => ask("GetGameServer", decodeGameServer),
    health(onError) {
      pings ??= openPings(client);
      pings.write(EMPTY, (error: unknown) => error && onError(error));
    },
    watchGameServer(onUpdate, onError) {
      const path = `${SERVICE}/WatchGameServer`;
      const watch = client.makeServerStreamRequest(path, encodeEmpty, decodeGameServer, EMPTY);
      watches.push(watch.on("data", onUpdate).on("error", onError));
    },
    close() {
      // Destroying a stream does not end its call in grpc-js: the connection stays, and keeps the process alive.
      for (const watch of watches) {
        watch.cancel();
      }
      pings?.end();
      client.close();
    },
  };
}

function openPings(client: Client): ClientWritableStream<object> {
  const pings = client.makeClientStreamRequest(`${SERVICE}/Health`, encodeEmpty, decodeEmpty, () => {});
  // What fails is told to the writes; an error event that nobody hears would end the process.
  return pings.on("error", () => {});
}

function encodeEmpty(): Buffer {
  return Buffer.alloc(0);
}

function decodeEmpty(): object {
  return EMPTY;
}
