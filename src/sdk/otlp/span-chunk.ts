import type { Link, SpanContext, SpanStatus } from "@opentelemetry/api";
import type { ReadableSpan, TimedEvent } from "@opentelemetry/sdk-trace";
import { rememberTexts, writeAttributes, writeText } from "./attributes.ts";
import { sizeOfText, sizeOfVarint } from "./proto-size.ts";
import { ProtoWriter } from "./proto-writer.ts";

/** What is read of a span. The SDK's own have it all. */
export type EncodableSpan = Pick<
  ReadableSpan,
  | "name"
  | "kind"
  | "spanContext"
  | "startTime"
  | "endTime"
  | "status"
  | "attributes"
  | "links"
  | "events"
  | "droppedAttributesCount"
  | "droppedEventsCount"
  | "droppedLinksCount"
> & { readonly parentSpanContext?: SpanContext | undefined };

/**
 * Spans of one instrumentation scope, encoded as they end: the `spans` field of ScopeSpans, repeated. Byte for byte what
 * the official serializer writes (a test compares them), zeros that protobuf could leave out among them.
 */
export interface SpanChunk {
  readonly count: number;
  readonly bytes: number;
  /** False when the span cannot be encoded (a getter that throws, a malformed id, past 2 MiB). The chunk is as it was, then. */
  append(span: EncodableSpan): boolean;
  /** A copy of the bytes; the chunk starts anew. */
  take(): Uint8Array;
}

// Tags (number and wire type) of opentelemetry/proto/trace/v1/trace.proto.
const SPANS = 0x12;
const [TRACE_ID, SPAN_ID, TRACE_STATE, PARENT_SPAN_ID, NAME, KIND, START, END] = [
  0x0a, 0x12, 0x1a, 0x22, 0x2a, 0x30, 0x39, 0x41,
];
const [ATTRIBUTES, DROPPED_ATTRIBUTES, EVENTS, DROPPED_EVENTS, LINKS, DROPPED_LINKS, STATUS] = [
  0x4a, 0x50, 0x5a, 0x60, 0x6a, 0x70, 0x7a,
];
/** Field 16: a tag of two bytes. */
const FLAGS = [0x85, 0x01] as const;
const EVENT = { time: 0x09, name: 0x12, attributes: 0x1a, dropped: 0x20 } as const;
const LINK = { traceId: 0x0a, spanId: 0x12, traceState: 0x1a, attributes: 0x22, dropped: 0x28, flags: 0x35 } as const;
const STATUS_FIELD = { message: 0x12, code: 0x18 } as const;

/** Whether a parent is remote is known, and whether it is. */
const [KNOWS_REMOTE, REMOTE] = [0x100, 0x200];

const nameField = rememberTexts(NAME);

export function createSpanChunk(): SpanChunk {
  const writer = new ProtoWriter();
  let count = 0;
  return {
    get count() {
      return count;
    },
    get bytes() {
      return writer.at;
    },
    append(span) {
      const before = writer.at;
      try {
        writer.byte(SPANS);
        const start = writer.begin();
        writeSpan(writer, span);
        writer.end(start);
        count += 1;
        return true;
      } catch {
        writer.at = before;
        return false;
      }
    },
    take() {
      count = 0;
      return writer.take();
    },
  };
}

function writeSpan(writer: ProtoWriter, span: EncodableSpan): void {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const { parentSpanContext: parent, status } = span;
  writer.byte(TRACE_ID);
  writer.id(traceId, 16);
  writer.byte(SPAN_ID);
  writer.id(spanId, 8);
  if (traceState) {
    writeTextUnlessEmpty(writer, TRACE_STATE, traceState.serialize());
  }
  if (parent?.spanId) {
    writer.byte(PARENT_SPAN_ID);
    writer.id(parent.spanId, 8);
  }
  writer.bytes(nameField(span.name));
  writer.byte(KIND);
  writer.varint(span.kind + 1);
  writer.byte(START);
  writer.nanoseconds(span.startTime);
  writer.byte(END);
  writer.nanoseconds(span.endTime);
  writeAttributes(writer, ATTRIBUTES, span.attributes);
  writeCount(writer, DROPPED_ATTRIBUTES, span.droppedAttributesCount);
  for (const event of span.events) {
    writeEvent(writer, event);
  }
  writeCount(writer, DROPPED_EVENTS, span.droppedEventsCount);
  for (const link of span.links) {
    writeLink(writer, link);
  }
  writeCount(writer, DROPPED_LINKS, span.droppedLinksCount);
  writeStatus(writer, status);
  writer.byte(FLAGS[0]);
  writer.byte(FLAGS[1]);
  writer.fixed32(flagsOf(traceFlags, parent?.isRemote));
}

function writeStatus(writer: ProtoWriter, { code, message = "" }: SpanStatus): void {
  const size = sizeOfText(message);
  writer.byte(STATUS);
  writer.varint(1 + sizeOfVarint(code) + (size === 0 ? 0 : 1 + sizeOfVarint(size) + size));
  if (size > 0) {
    writeText(writer, STATUS_FIELD.message, message, size);
  }
  writeCount(writer, STATUS_FIELD.code, code);
}

function writeEvent(writer: ProtoWriter, { time, name, attributes, droppedAttributesCount }: TimedEvent): void {
  writer.byte(EVENTS);
  const start = writer.begin();
  writer.byte(EVENT.time);
  writer.nanoseconds(time);
  writeText(writer, EVENT.name, name);
  writeAttributes(writer, EVENT.attributes, attributes ?? {});
  writeCount(writer, EVENT.dropped, droppedAttributesCount ?? 0);
  writer.end(start);
}

function writeLink(writer: ProtoWriter, { context, attributes, droppedAttributesCount }: Link): void {
  writer.byte(LINKS);
  const start = writer.begin();
  writer.byte(LINK.traceId);
  writer.id(context.traceId, 16);
  writer.byte(LINK.spanId);
  writer.id(context.spanId, 8);
  writeTextUnlessEmpty(writer, LINK.traceState, context.traceState?.serialize() ?? "");
  writeAttributes(writer, LINK.attributes, attributes ?? {});
  writeCount(writer, LINK.dropped, droppedAttributesCount ?? 0);
  writer.byte(LINK.flags);
  writer.fixed32(flagsOf(context.traceFlags, context.isRemote));
  writer.end(start);
}

function flagsOf(traceFlags: number, isRemote: boolean | undefined): number {
  return (traceFlags & 0xff) | KNOWS_REMOTE | (isRemote ? REMOTE : 0);
}

function writeCount(writer: ProtoWriter, tag: number, count: number): void {
  writer.byte(tag);
  writer.varint(count);
}

function writeTextUnlessEmpty(writer: ProtoWriter, tag: number, text: string): void {
  if (text !== "") {
    writeText(writer, tag, text);
  }
}
