import { fieldsOf, type Field } from "../../internal/protobuf.ts";
import type { GameServer } from "./sidecar.ts";

/** The fields by their numbers in Agones' sdk.proto. */
type Message = ReadonlyMap<number, readonly Field[]>;

/** The part of a GameServer that is used. Never throws: what is not there, or is no GameServer, is left out. */
export function decodeGameServer(bytes: Buffer): GameServer {
  const gameServer = read(bytes);
  const objectMeta = messages(gameServer, 1).at(-1);
  const spec = messages(gameServer, 2).at(-1);
  const health = spec && messages(spec, 1).at(-1);
  const status = messages(gameServer, 3).at(-1);
  return {
    ...(objectMeta && {
      objectMeta: {
        name: text(objectMeta, 1),
        namespace: text(objectMeta, 2),
        uid: text(objectMeta, 3),
        resourceVersion: text(objectMeta, 4),
        annotationsMap: pairs(objectMeta, 8),
        labelsMap: pairs(objectMeta, 9),
      },
    }),
    ...(spec && {
      spec: {
        ...(health && {
          health: {
            disabled: integer(health, 1) === 1,
            periodSeconds: integer(health, 2),
            failureThreshold: integer(health, 3),
            initialDelaySeconds: integer(health, 4),
          },
        }),
      },
    }),
    ...(status && {
      status: {
        state: text(status, 1),
        address: text(status, 2),
        portsList: messages(status, 3).map((port) => ({ name: text(port, 1), port: integer(port, 2) })),
      },
    }),
  };
}

/** A KeyValue: what SetAnnotation() takes. */
export function encodeKeyValue(key: string, value: string): Buffer {
  return Buffer.concat([field(1, key), field(2, value)]);
}

function field(number: number, value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length > 0x7f) {
    throw new RangeError(`more than 127 bytes: ${value.slice(0, 40)}`);
  }
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
}

function read(bytes: Buffer): Message {
  return Map.groupBy(fieldsOf(bytes), ({ number }) => number);
}

function messages(message: Message, number: number): Message[] {
  const fields = message.get(number) ?? [];
  return fields.flatMap(({ value }) => (Buffer.isBuffer(value) ? [read(value)] : []));
}

function pairs(message: Message, number: number): [string, string][] {
  return messages(message, number).map((entry) => [text(entry, 1), text(entry, 2)]);
}

function text(message: Message, number: number): string {
  const value = message.get(number)?.at(-1)?.value;
  return Buffer.isBuffer(value) ? value.toString() : "";
}

function integer(message: Message, number: number): number {
  const value = message.get(number)?.at(-1)?.value;
  return typeof value === "number" ? value : 0;
}
