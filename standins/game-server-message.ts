import { createRequire } from "node:module";
import type { GameServer, Health } from "./game-server.ts";

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
  message.setSpec(specOf(server.health));
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

function specOf({ disabled, periodSeconds, failureThreshold, initialDelaySeconds }: Health): Message {
  const health = new messages.GameServer.Spec.Health();
  health.setDisabled(disabled);
  health.setPeriodSeconds(periodSeconds);
  health.setFailureThreshold(failureThreshold);
  health.setInitialDelaySeconds(initialDelaySeconds);
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
      Health: new () => Sets<"Disabled" | "PeriodSeconds" | "FailureThreshold" | "InitialDelaySeconds">;
    };
    Status: (new () => Sets<"State" | "Address" | "PortsList">) & {
      Port: new () => Sets<"Name" | "Port">;
    };
  };
};
