export interface Field {
  readonly number: number;
  /** Bytes of a length-delimited field, number of a varint; other kinds are passed over. */
  readonly value: Buffer | number | undefined;
}

const FIXED_BYTES = new Map([
  [1, 8],
  [5, 4],
]);

/** The fields of a protobuf message, of later versions too. Ends where the message is cut off, or none at all. */
export function* fieldsOf(bytes: Buffer): Generator<Field> {
  let at = 0;
  const varint = () => {
    let [value, weight] = [0, 1];
    for (let byte = 0x80; byte >= 0x80; at += 1, weight *= 128) {
      byte = bytes[at] ?? 0;
      value += (byte & 0x7f) * weight;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    const [number, kind] = [Math.floor(tag / 8), tag % 8];
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
