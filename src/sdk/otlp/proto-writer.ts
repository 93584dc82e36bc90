import type { HrTime } from "@opentelemetry/api";
import { SHORT, sizeOfVarint } from "./proto-size.ts";

// Tags (number and wire type) of the two fields that nearly every attribute has.
export const KEY_VALUE_VALUE = 0x12;
export const ANY_VALUE_STRING = 0x0a;

const FIRST_BYTES = 4096;
/** gRPC receivers refuse a request over 4 MiB, and all in it is lost. Also what ends cycles and arrays of a billion holes. */
const MAX_BYTES = 2 << 20;

/** Protobuf, forwards into one buffer that grows, up to 2 MiB. Who catches what it throws sets `at` back. */
export class ProtoWriter {
  #bytes: Buffer;
  at = 0;

  constructor(capacity = FIRST_BYTES) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  /** A copy of what was written; the writer starts anew. */
  take(): Uint8Array {
    const taken = Uint8Array.prototype.slice.call(this.#bytes, 0, this.at);
    this.at = 0;
    return taken;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.at++] = value;
  }

  /** Of up to 32 bits. A negative one would leave its last byte saying that another follows. */
  varint(value: number): void {
    this.#room(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.#bytes[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.at++] = rest;
  }

  /** Two's complement where negative. */
  int64(value: number): void {
    if (value >= 0 && value <= 0x7fff_ffff) {
      this.varint(value);
      return;
    }
    for (let rest = BigInt.asUintN(64, BigInt(value)), more = true; more;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      more = rest > 0n;
      this.byte(more ? low | 0x80 : low);
    }
  }

  fixed32(value: number): void {
    this.#room(4);
    const bytes = this.#bytes;
    let { at } = this;
    bytes[at++] = value & 0xff;
    bytes[at++] = (value >>> 8) & 0xff;
    bytes[at++] = (value >>> 16) & 0xff;
    bytes[at++] = value >>> 24;
    this.at = at;
  }

  double(value: number): void {
    this.#room(8);
    this.at = this.#bytes.writeDoubleLE(value, this.at);
  }

  /** Nanoseconds since 1970, which fit no double: in halves of 32 bits. */
  nanoseconds([seconds, nanos]: HrTime): void {
    // Shifts and masks: the remainder of a large double takes 30 ns each time.
    const upper = ((seconds / 0x10000) >>> 0) * 1e9;
    const lower = (seconds & 0xffff) * 1e9 + nanos + (upper & 0xffff) * 0x10000;
    this.fixed32(lower >>> 0);
    this.fixed32(((upper / 0x10000) >>> 0) + ((lower / 0x1_0000_0000) >>> 0));
  }

  /** An id of hexadecimal digits, as bytes with their length. A collector refuses a whole request for one of another size. */
  id(hex: string, size: number): void {
    if (hex.length !== size * 2) {
      throw new RangeError(`an id of ${size} bytes has ${size * 2} digits`);
    }
    this.#room(1 + size);
    const bytes = this.#bytes;
    let at = this.at;
    bytes[at++] = size;
    for (let digit = 0; digit < size * 2; digit += 2) {
      bytes[at++] = (nibble(hex.charCodeAt(digit)) << 4) | nibble(hex.charCodeAt(digit + 1));
    }
    this.at = at;
  }

  bytes(value: Uint8Array): void {
    const { length } = value;
    this.#room(length);
    if (length > SHORT) {
      this.#bytes.set(value, this.at);
    } else {
      const bytes = this.#bytes;
      for (let index = 0; index < length; index += 1) {
        bytes[this.at + index] = value[index]!;
      }
    }
    this.at += length;
  }

  /** `size` is what `sizeOfText()` says of it. */
  text(value: string, size: number): void {
    this.#room(size);
    if (size !== value.length) {
      this.at += this.#bytes.write(value, this.at, size, "utf8");
    } else if (size > SHORT) {
      this.at += this.#bytes.write(value, this.at, size, "latin1");
    } else {
      const bytes = this.#bytes;
      for (let index = 0; index < size; index += 1) {
        bytes[this.at + index] = value.charCodeAt(index);
      }
      this.at += size;
    }
  }

  /**
   * A KeyValue of a short ASCII text, as nearly all are: lengths of one byte, one look at each character. False, with
   * nothing written, for any other.
   */
  shortAttribute(tag: number, key: Uint8Array, text: string): boolean {
    const [keySize, size] = [key.length, text.length];
    if (keySize > SHORT || size > SHORT) {
      return false;
    }
    this.#room(keySize + size + 6);
    const bytes = this.#bytes;
    let { at } = this;
    bytes[at++] = tag;
    bytes[at++] = keySize + size + 4;
    for (let index = 0; index < keySize; index += 1) {
      bytes[at++] = key[index]!;
    }
    bytes[at++] = KEY_VALUE_VALUE;
    bytes[at++] = size + 2;
    bytes[at++] = ANY_VALUE_STRING;
    bytes[at++] = size;
    let all = 0;
    for (let index = 0; index < size; index += 1) {
      const code = text.charCodeAt(index);
      all |= code;
      bytes[at++] = code;
    }
    if (all > 0x7f) {
      return false;
    }
    this.at = at;
    return true;
  }

  /** Begins a message whose size is known at its end: leaves room for a length of two bytes. */
  begin(): number {
    this.#room(2);
    this.at += 2;
    return this.at;
  }

  /** Ends it. `start` is what `begin()` gave. */
  end(start: number): void {
    const length = this.at - start;
    const bytes = sizeOfVarint(length);
    if (bytes !== 2) {
      this.#room(bytes);
      this.#bytes.copyWithin(start - 2 + bytes, start, this.at);
    }
    this.at = start - 2;
    this.varint(length);
    this.at += length;
  }

  #room(needed: number): void {
    if (this.at + needed > this.#bytes.length) {
      if (this.at + needed > MAX_BYTES) {
        throw new RangeError(`more than ${MAX_BYTES} bytes`);
      }
      const grown = Buffer.allocUnsafe(Math.max(this.at + needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.at));
      this.#bytes = grown;
    }
  }
}

function nibble(code: number): number {
  return (code & 0xf) + (code >> 6) * 9;
}
