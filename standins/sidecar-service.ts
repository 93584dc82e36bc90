import { createRequire } from "node:module";
import type {
  handleUnaryCall,
  sendUnaryData,
  ServerReadableStream,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import type { GameServer, GameServerChange, GameServerState, Message } from "./game-server.ts";
import { emptyMessage, lastAllocatedNow, toMessage } from "./game-server.ts";

export type SidecarCalls = Partial<Record<SdkMethod, number>>;

export type SdkMethod =
  | "ready"
  | "allocate"
  | "shutdown"
  | "reserve"
  | "health"
  | "getGameServer"
  | "watchGameServer"
  | "setLabel"
  | "setAnnotation";

/** What the service answers from. Every call passes `received` first. */
export interface SidecarHost {
  readonly calls: SidecarCalls;
  readonly watchers: Set<(message: Message) => void>;
  readonly readyDelay: number;
  gameServer(): GameServer;
  received(method: SdkMethod): void;
  update(change: GameServerChange): GameServer;
  later(milliseconds: number, run: () => void): void;
}

/** The official SDK's own service definition, so that what is on the wire cannot differ from what the SDK speaks. */
export const sdkService: ServiceDefinition = (
  createRequire(import.meta.url)("@google-cloud/agones-sdk/lib/sdk_grpc_pb.js") as {
    "agones.dev.sdk.SDK": ServiceDefinition;
  }
)["agones.dev.sdk.SDK"];

export function serve(host: SidecarHost): UntypedServiceImplementation {
  return {
    ready: accepts(host, "ready", () => requestReady(host)),
    allocate: accepts(host, "allocate", () => bySdk(host, { state: "Allocated", annotations: lastAllocatedNow() })),
    shutdown: accepts(host, "shutdown", () => bySdk(host, { state: "Shutdown" })),
    reserve: accepts<Duration>(host, "reserve", (duration) => reserve(host, duration.getSeconds())),
    health: countPings(host),
    getGameServer: (_call: unknown, answer: sendUnaryData<Message>) => {
      host.received("getGameServer");
      answer(null, toMessage(host.gameServer()));
    },
    watchGameServer: watch(host),
    setLabel: storesMetadata(host, "setLabel", "labels", labelValue),
    setAnnotation: storesMetadata(host, "setAnnotation", "annotations", /^/),
  };
}

// The real one queues a change of state and answers before anything has happened: so does this.
function accepts<Request>(
  host: SidecarHost,
  method: SdkMethod,
  then: (request: Request) => void,
): handleUnaryCall<Request, Message> {
  return (call, answer) => {
    host.received(method);
    answer(null, emptyMessage());
    then(call.request);
  };
}

function requestReady(host: SidecarHost): void {
  bySdk(host, { state: "RequestReady" });
  host.later(host.readyDelay, () => {
    // The controller's part, and only for a server that still asks for it.
    if (host.gameServer().state === "RequestReady") host.update({ state: "Ready" });
  });
}

function reserve(host: SidecarHost, seconds: number): void {
  bySdk(host, { state: "Reserved" });
  if (seconds === 0) return;
  host.later(seconds * 1000, () => {
    if (host.gameServer().state === "Reserved") requestReady(host);
  });
}

// updateState() in sdkserver.go: no way out of a shutdown, and none out of Unhealthy by the SDK.
function bySdk(host: SidecarHost, change: GameServerChange): void {
  if (!final.has(host.gameServer().state)) host.update(change);
}

const final: ReadonlySet<GameServerState> = new Set(["Shutdown", "Unhealthy", "Error"]);

function countPings(host: SidecarHost) {
  return (call: ServerReadableStream<Message, Message>, answer: sendUnaryData<Message>): void => {
    call.on("data", () => host.received("health"));
    call.on("end", () => answer(null, emptyMessage()));
    call.on("error", () => {
      // a client that went away; without a listener it would end the sidecar
    });
  };
}

function watch(host: SidecarHost) {
  return (call: ServerWritableStream<Message, Message>): void => {
    host.received("watchGameServer");
    const send = (message: Message): void => void call.write(message);
    send(toMessage(host.gameServer()));
    host.watchers.add(send);
    call.on("cancelled", () => host.watchers.delete(send));
    call.on("error", () => host.watchers.delete(send));
  };
}

function storesMetadata(
  host: SidecarHost,
  method: SdkMethod,
  kind: "labels" | "annotations",
  valid: RegExp,
): handleUnaryCall<KeyValue, Message> {
  return (call, answer) => {
    host.received(method);
    const [key, value] = [call.request.getKey(), call.request.getValue()];
    if (!qualifiedName.test(key) || !valid.test(value)) {
      answer({ code: status.INVALID_ARGUMENT, details: `invalid ${kind} "${key}": "${value}"` });
      return;
    }
    answer(null, emptyMessage());
    host.update({ [kind]: { [`agones.dev/sdk-${key}`]: value } });
  };
}

// Kubernetes' IsQualifiedName (here without its optional prefix) and IsValidLabelValue.
const qualifiedName = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

interface KeyValue {
  getKey(): string;
  getValue(): string;
}

interface Duration {
  getSeconds(): number;
}
