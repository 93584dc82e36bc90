import { fieldsOf } from "../../internal/protobuf.ts";

/** What a collector says of a request that it took only in part (ExportTracePartialSuccess). */
export interface PartialSuccess {
  readonly rejected: number;
  readonly message: string;
}

/**
 * Reads an ExportTraceServiceResponse: field 1 is the partial success, in it 1 the number of rejected spans and 2 a
 * message. Empty as a rule. What is cut off, or none at all, reads as nothing.
 */
export function readPartialSuccess(response: Uint8Array): PartialSuccess {
  let [rejected, message] = [0, ""];
  for (const outer of fieldsOf(Buffer.from(response))) {
    const inner = outer.number === 1 && Buffer.isBuffer(outer.value) ? fieldsOf(outer.value) : [];
    for (const { number, value } of inner) {
      if (number === 1 && typeof value === "number") {
        rejected = value;
      } else if (number === 2 && Buffer.isBuffer(value)) {
        message = value.toString();
      }
    }
  }
  return { rejected, message };
}
