import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";

/** The states of Agones' pkg/apis/agones/v1/gameserver.go that a sidecar can be asked about. */
export type GameServerState =
  | "Scheduled"
  | "RequestReady"
  | "Ready"
  | "Reserved"
  | "Allocated"
  | "Shutdown"
  | "Unhealthy"
  | "Error";

/** What the sidecar holds of the GameServer resource. Never changed: an update makes a new one. */
export interface GameServer {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: number;
  readonly createdAt: number;
  readonly state: GameServerState;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export interface GameServerChange {
  readonly state?: GameServerState;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

export function newGameServer(name: string, fleet: string, state: GameServerState): GameServer {
  return {
    name,
    uid: randomUUID(),
    resourceVersion: 1,
    createdAt: Date.now(),
    state,
    annotations: {},
    labels: { "agones.dev/fleet": fleet },
  };
}

/** Only adds and overwrites keys: neither the allocator nor the controller ever takes an annotation away. */
export function changed(server: GameServer, change: GameServerChange): GameServer {
  return {
    ...server,
    resourceVersion: server.resourceVersion + 1,
    state: change.state ?? server.state,
    annotations: { ...server.annotations, ...change.annotations },
    labels: { ...server.labels, ...change.labels },
  };
}

/** The annotation both the allocator and the sidecar's own Allocate() write, in Go's RFC 3339 with a fraction. */
export function lastAllocatedNow(): Record<string, string> {
  const micros = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
  const seconds = new Date(Number(micros / 1000n)).toISOString().slice(0, 19);
  const fraction = String(micros % 1_000_000n).padStart(6, "0");
  return { "agones.dev/last-allocated": `${seconds}.${fraction}Z` };
}

/** The message that goes over the wire: what convert() in pkg/sdkserver/sdk.go fills in, in a pod with one port. */
export function toMessage(server: GameServer): Message {
  const meta = new messages.GameServer.ObjectMeta();
  meta.setName(server.name);
  meta.setNamespace("default");
  meta.setUid(server.uid);
  meta.setResourceVersion(String(server.resourceVersion));
  meta.setGeneration(server.resourceVersion);
  meta.setCreationTimestamp(Math.floor(server.createdAt / 1000));
  fill(meta.getAnnotationsMap(), server.annotations);
  fill(meta.getLabelsMap(), server.labels);
  const message = new messages.GameServer();
  message.setObjectMeta(meta);
  message.setSpec(healthSpec());
  message.setStatus(statusOf(server));
  return message;
}

export function emptyMessage(): Message {
  return new messages.Empty();
}

// SDK 1.61.0 pins google-protobuf 4.0.1, whose maps lost the `serializeBinary` that the SDK's generated code calls. A
// client only reads maps, so nobody noticed; a server dies of it ("Error serializing response"). Given back per map.
function fill(map: StringMap, entries: Readonly<Record<string, string>>): void {
  for (const key of Object.keys(entries).sort()) map.set(key, entries[key] ?? "");
  map.serializeBinary ??= (...args) => protobuf.internal.public_for_gencode.serializeMapToBinary(map, ...args);
}

function healthSpec(): Message {
  const health = new messages.GameServer.Spec.Health();
  health.setPeriodSeconds(5);
  health.setFailureThreshold(3);
  health.setInitialDelaySeconds(5);
  const spec = new messages.GameServer.Spec();
  spec.setHealth(health);
  return spec;
}

function statusOf(server: GameServer): Message {
  const port = new messages.GameServer.Status.Port();
  port.setName("default");
  port.setPort(7777);
  const status = new messages.GameServer.Status();
  status.setState(server.state);
  status.setAddress("127.0.0.1");
  status.setPortsList([port]);
  return status;
}

/** An opaque protobuf message: only the SDK's own serializers look inside. */
export interface Message {
  readonly toObject: () => object;
}

type Sets<Field extends string> = Message & Record<`set${Field}`, (value: unknown) => void>;

type MetaFields = "Name" | "Namespace" | "Uid" | "ResourceVersion" | "Generation" | "CreationTimestamp";

interface StringMap {
  set(key: string, value: string): unknown;
  serializeBinary?: (...args: readonly unknown[]) => void;
}

interface MetaMaps {
  getAnnotationsMap(): StringMap;
  getLabelsMap(): StringMap;
}

const sdkRequire = createRequire(createRequire(import.meta.url).resolve("@google-cloud/agones-sdk"));

const protobuf = sdkRequire("google-protobuf") as {
  internal: {
    public_for_gencode: {
      serializeMapToBinary(map: StringMap, ...args: readonly unknown[]): void;
    };
  };
};

// The generated files come without types, and the SDK's own .d.ts files cannot be imported as modules.
const messages = sdkRequire("../lib/sdk_pb.js") as {
  Empty: new () => Message;
  GameServer: (new () => Sets<"ObjectMeta" | "Spec" | "Status">) & {
    ObjectMeta: new () => Sets<MetaFields> & MetaMaps;
    Spec: (new () => Sets<"Health">) & {
      Health: new () => Sets<"PeriodSeconds" | "FailureThreshold" | "InitialDelaySeconds">;
    };
    Status: (new () => Sets<"State" | "Address" | "PortsList">) & {
      Port: new () => Sets<"Name" | "Port">;
    };
  };
};
