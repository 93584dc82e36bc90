import { sizeOfInt64, sizeOfText, sizeOfVarint } from "./proto-size.ts";
import { ANY_VALUE_STRING as STRING, KEY_VALUE_VALUE as VALUE, ProtoWriter } from "./proto-writer.ts";

/** Attribute keys and span names are few and repeat, but a game may make endless ones. */
const MAX_REMEMBERED = 1000;
const MAX_REMEMBERED_LENGTH = 100;

// Tags (number and wire type) of KeyValue's and AnyValue's fields.
const KEY = 0x0a;
const [BOOL, INT, DOUBLE, ARRAY, KVLIST, BYTES] = [0x10, 0x18, 0x21, 0x2a, 0x32, 0x3a];
/** Tag of the elements of an ArrayValue and a KeyValueList. */
const VALUES = 0x0a;

/** A text field with its tag and length, encoded once for each text. */
export function rememberTexts(tag: number): (text: string) => Uint8Array {
  const remembered = new Map<string, Uint8Array>();
  return (text) => {
    let field = remembered.get(text);
    if (!field) {
      field = textField(tag, text);
      if (remembered.size < MAX_REMEMBERED && text.length <= MAX_REMEMBERED_LENGTH) {
        remembered.set(text, field);
      }
    }
    return field;
  };
}

function textField(tag: number, text: string): Uint8Array {
  const size = sizeOfText(text);
  const writer = new ProtoWriter(1 + sizeOfVarint(size) + size);
  writeText(writer, tag, text, size);
  return writer.take();
}

export function writeText(writer: ProtoWriter, tag: number, text: string, size = sizeOfText(text)): void {
  writer.byte(tag);
  writer.varint(size);
  writer.text(text, size);
}

const keyField = rememberTexts(KEY);

/** A repeated KeyValue field. */
export function writeAttributes(writer: ProtoWriter, tag: number, attributes: object): void {
  for (const key in attributes) {
    if (Object.hasOwn(attributes, key)) {
      writeKeyValue(writer, tag, key, (attributes as Readonly<Record<string, unknown>>)[key]);
    }
  }
}

function writeKeyValue(writer: ProtoWriter, tag: number, key: string, value: unknown): void {
  const field = keyField(key);
  if (typeof value === "string" && writer.shortAttribute(tag, field, value)) {
    return;
  }
  writer.byte(tag);
  if (typeof value === "string") {
    const size = sizeOfText(value);
    const valueSize = 1 + sizeOfVarint(size) + size;
    writer.varint(field.length + 1 + sizeOfVarint(valueSize) + valueSize);
    writer.bytes(field);
    writer.byte(VALUE);
    writer.varint(valueSize);
    writeText(writer, STRING, value, size);
    return;
  }
  if (typeof value === "object" && value !== null) {
    const start = writer.begin();
    writer.bytes(field);
    writer.byte(VALUE);
    writeSizedValue(writer, value);
    writer.end(start);
    return;
  }
  const size = sizeOfScalar(value);
  writer.varint(field.length + 2 + size);
  writer.bytes(field);
  writer.byte(VALUE);
  writer.varint(size);
  writeValue(writer, value);
}

/** Of an AnyValue that is no text. */
function sizeOfScalar(value: unknown): number {
  if (typeof value === "boolean") {
    return 2;
  }
  if (typeof value !== "number") {
    return 0;
  }
  return isInt64(value) ? 1 + sizeOfInt64(value) : 1 + 8;
}

/** An AnyValue with its length. */
function writeSizedValue(writer: ProtoWriter, value: unknown): void {
  const start = writer.begin();
  writeValue(writer, value);
  writer.end(start);
}

/** An AnyValue. Of a kind that OTLP does not know (null, functions) it is an empty one. */
function writeValue(writer: ProtoWriter, value: unknown): void {
  if (typeof value === "string") {
    writeText(writer, STRING, value);
  } else if (typeof value === "boolean") {
    writer.byte(BOOL);
    writer.byte(value ? 1 : 0);
  } else if (typeof value === "number") {
    if (isInt64(value)) {
      writer.byte(INT);
      writer.int64(value);
    } else {
      writer.byte(DOUBLE);
      writer.double(value);
    }
  } else if (typeof value === "object" && value !== null) {
    writeObject(writer, value);
  }
}

function writeObject(writer: ProtoWriter, value: object): void {
  if (value instanceof Uint8Array) {
    writer.byte(BYTES);
    writer.varint(value.length);
    writer.bytes(value);
  } else if (Array.isArray(value)) {
    writer.byte(ARRAY);
    const start = writer.begin();
    for (const element of value) {
      writer.byte(VALUES);
      writeSizedValue(writer, element);
    }
    writer.end(start);
  } else {
    writer.byte(KVLIST);
    const start = writer.begin();
    writeAttributes(writer, VALUES, value);
    writer.end(start);
  }
}

function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
}
