// Stands in for the gRPC side of Agones' sdk-server; checked by reading proto/sdk/sdk.proto and pkg/sdkserver/sdkserver.go
// of agones-dev/agones 676cc64. Left out: alpha and beta.
import { createRequire } from "node:module";
import type {
  handleUnaryCall,
  sendUnaryData,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import type { Message } from "./game-server-message.ts";
import { emptyMessage, toMessage } from "./game-server-message.ts";
import type { SidecarHost } from "./sidecar-host.ts";
import type { SdkRequest, UnaryMethod } from "./sidecar-requests.ts";
import { serveUnary } from "./sidecar-requests.ts";

/** A transport that listens. */
export interface Listening {
  readonly port: number;
  /** Gives up every connection and goes on listening. */
  goaway(): void;
  /** Gives up every connection, and the port. */
  close(): void;
}

/** The official SDK's own service definition, so that what is on the wire cannot differ from what the SDK speaks. */
export const sdkService: ServiceDefinition = (
  createRequire(import.meta.url)("@google-cloud/agones-sdk/lib/sdk_grpc_pb.js") as {
    "agones.dev.sdk.SDK": ServiceDefinition;
  }
)["agones.dev.sdk.SDK"];

// The Node SDK dials `localhost`; where that resolves to ::1 first, grpc-js goes on to 127.0.0.1 by itself.
export function listenGrpc(host: SidecarHost, wanted: number): Promise<Listening> {
  const server = new Server();
  server.addService(sdkService, serve(host));
  const { promise, resolve, reject } = Promise.withResolvers<Listening>();
  server.bindAsync(`127.0.0.1:${wanted}`, ServerCredentials.createInsecure(), (error, port) => {
    if (error) return reject(new Error(`the Agones stand-in cannot listen on ${wanted}: ${error.message}`));
    resolve({
      port,
      // GOAWAY, and a moment later the end of the streams that are still open.
      goaway: () => server.drain(`127.0.0.1:${port}`, 20),
      close: () => server.forceShutdown(),
    });
  });
  return promise;
}

function serve(host: SidecarHost): UntypedServiceImplementation {
  return {
    ready: unary(host, "ready", () => ({})),
    allocate: unary(host, "allocate", () => ({})),
    shutdown: unary(host, "shutdown", () => ({})),
    reserve: unary<Duration>(host, "reserve", (duration) => ({ seconds: duration.getSeconds() })),
    health: countPings(host),
    getGameServer: unary(
      host,
      "getGameServer",
      () => ({}),
      () => toMessage(host.gameServer()),
    ),
    watchGameServer: watch(host),
    setLabel: unary<KeyValue>(host, "setLabel", keyValue),
    setAnnotation: unary<KeyValue>(host, "setAnnotation", keyValue),
  };
}

function unary<Request>(
  host: SidecarHost,
  method: UnaryMethod,
  read: (request: Request) => SdkRequest,
  result: () => Message = emptyMessage,
): handleUnaryCall<Request, Message> {
  return (call, answer) =>
    host.traffic.take(() => {
      if (isGivenUp(call)) return;
      serveUnary(host, "grpc", method, read(call.request), (problem) => {
        if (problem === undefined) answer(null, result());
        else answer({ code: status.INVALID_ARGUMENT, details: problem });
      });
    });
}

// grpc-js calls nothing cancelled whose deadline passed on this side first.
function isGivenUp(call: Pick<ServerUnaryCall<unknown, unknown>, "cancelled" | "getDeadline">): boolean {
  return call.cancelled || Number(call.getDeadline()) < Date.now();
}

function keyValue(request: KeyValue): SdkRequest {
  return { key: request.getKey(), value: request.getValue() };
}

function countPings(host: SidecarHost) {
  const { take, answer } = host.traffic;
  return (call: ServerReadableStream<Message, Message>, send: sendUnaryData<Message>): void => {
    call.on("data", () => take(() => host.received("health", "grpc")));
    call.on("end", () => take(() => answer(() => send(null, emptyMessage()))));
    call.on("error", () => {
      // a client that went away; without a listener it would end the sidecar
    });
  };
}

function watch(host: SidecarHost) {
  return (call: ServerWritableStream<Message, Message>): void =>
    host.traffic.take(() => {
      if (isGivenUp(call)) return;
      host.received("watchGameServer", "grpc");
      const { leave } = host.watchers.add(
        {
          send: (gameServer) => void call.write(toMessage(gameServer)),
          end: () => call.end(),
          fail: () => call.emit("error", { code: status.UNAVAILABLE, details: "the watch broke" }),
        },
        host.gameServer,
      );
      call.on("cancelled", leave);
      call.on("error", leave);
    });
}

interface KeyValue {
  getKey(): string;
  getValue(): string;
}

interface Duration {
  getSeconds(): number;
}
