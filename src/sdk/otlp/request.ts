import type { InstrumentationScope } from "@opentelemetry/core";
import type { Resource } from "@opentelemetry/resources";
import { writeAttributes, writeText } from "./attributes.ts";
import { sizeOfVarint } from "./proto-size.ts";
import { ProtoWriter } from "./proto-writer.ts";

/** Bytes around repeated fields: what stands before them in their message, and after them. */
export interface Envelope {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

/** The `spans` field of one scope, repeated, and what `encodeScope()` gave. */
export interface EncodedScopeSpans {
  readonly scope: Envelope;
  readonly spans: Uint8Array;
}

// Tags (number and wire type) of ExportTraceServiceRequest, ResourceSpans, ScopeSpans, Resource and InstrumentationScope.
const RESOURCE_SPANS = 0x0a;
const [RESOURCE, SCOPE_SPANS, SCHEMA_URL] = [0x0a, 0x12, 0x1a];
const [RESOURCE_ATTRIBUTES, RESOURCE_DROPPED] = [0x0a, 0x10];
const [SCOPE, SCOPE_NAME, SCOPE_VERSION] = [0x0a, 0x0a, 0x12];

/** Once for each process. Its asynchronous attributes have to be there. */
export function encodeResource({ attributes, schemaUrl }: Resource): Envelope {
  const head = new ProtoWriter(1024);
  head.byte(RESOURCE);
  const start = head.begin();
  writeAttributes(head, RESOURCE_ATTRIBUTES, attributes);
  head.byte(RESOURCE_DROPPED);
  head.varint(0);
  head.end(start);
  return { head: head.take(), tail: encodeSchema(schemaUrl) };
}

/** Once for each scope. */
export function encodeScope({ name, version, schemaUrl }: InstrumentationScope): Envelope {
  const head = new ProtoWriter(256);
  head.byte(SCOPE);
  const start = head.begin();
  writeText(head, SCOPE_NAME, name);
  if (version) {
    writeText(head, SCOPE_VERSION, version);
  }
  head.end(start);
  return { head: head.take(), tail: encodeSchema(schemaUrl) };
}

/** An ExportTraceServiceRequest of one resource. */
export function encodeTraceRequest(resource: Envelope, scopes: readonly EncodedScopeSpans[]): Uint8Array {
  const parts = scopes.flatMap(({ scope, spans }) => [
    lengthDelimited(SCOPE_SPANS, [scope.head, spans, scope.tail]),
    scope.head,
    spans,
    scope.tail,
  ]);
  const body = [resource.head, ...parts, resource.tail];
  return Buffer.concat([lengthDelimited(RESOURCE_SPANS, body), ...body]);
}

function encodeSchema(schemaUrl: string | undefined): Uint8Array {
  const writer = new ProtoWriter(128);
  if (schemaUrl) {
    writeText(writer, SCHEMA_URL, schemaUrl);
  }
  return writer.take();
}

/** Tag and length of a field that consists of these parts. */
function lengthDelimited(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const writer = new ProtoWriter(1 + sizeOfVarint(length));
  writer.byte(tag);
  writer.varint(length);
  return writer.take();
}
