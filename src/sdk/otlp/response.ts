/** What a collector says of a request that it took only in part (ExportTracePartialSuccess). */
export interface PartialSuccess {
  readonly rejected: number;
  readonly message: string;
}

/**
 * Reads an ExportTraceServiceResponse: field 1 is the partial success, in it 1 the number of rejected spans and 2 a
 * message. Empty as a rule. What it does not know it passes over; what is cut off reads as nothing.
 */
export function readPartialSuccess(response: Uint8Array): PartialSuccess {
  let [rejected, message] = [0, ""];
  for (const outer of fieldsOf(response)) {
    for (const { number, value } of outer.number === 1 && outer.value instanceof Uint8Array
      ? fieldsOf(outer.value)
      : []) {
      if (number === 1 && typeof value === "number") {
        rejected = value;
      } else if (number === 2 && value instanceof Uint8Array) {
        message = new TextDecoder().decode(value);
      }
    }
  }
  return { rejected, message };
}

interface Field {
  readonly number: number;
  /** Bytes of a length-delimited field, number of a varint; other kinds are passed over. */
  readonly value: Uint8Array | number | undefined;
}

const FIXED_BYTES = new Map([
  [1, 8],
  [5, 4],
]);

function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = () => {
    let [value, weight] = [0, 1];
    for (let byte = 0x80; byte >= 0x80 && at < bytes.length; at += 1, weight *= 128) {
      byte = bytes[at]!;
      value += (byte & 0x7f) * weight;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    const kind = tag % 8;
    const number = Math.floor(tag / 8);
    if (kind === 0) {
      yield { number, value: varint() };
      continue;
    }
    const length = kind === 2 ? varint() : FIXED_BYTES.get(kind);
    if (length === undefined || at + length > bytes.length) {
      return;
    }
    yield { number, value: kind === 2 ? bytes.subarray(at, at + length) : undefined };
    at += length;
  }
}
