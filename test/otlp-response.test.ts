import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readPartialSuccess } from "../src/sdk/otlp/response.ts";
import { traceService } from "../demo/receiver/wire.ts";

const encode = (response: object) => traceService()["Export"]!.responseSerialize(response);

test("what a collector says of rejected spans is read as the official deserializer reads it", () => {
  const rejected = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(rejected, fc.string({ unit: "grapheme", maxLength: 300 }), (rejectedSpans, errorMessage) => {
      const bytes = encode({ partialSuccess: { rejectedSpans, errorMessage } });
      const { partialSuccess } = ProtobufTraceSerializer.deserializeResponse(bytes);
      expect(readPartialSuccess(bytes)).toEqual({
        rejected: partialSuccess?.rejectedSpans ?? 0,
        message: partialSuccess?.errorMessage ?? "",
      });
      expect(readPartialSuccess(bytes)).toEqual({ rejected: rejectedSpans, message: errorMessage });
    }),
  );
});

test("an empty response, one with fields of later versions, and bytes that are none throw nothing", () => {
  expect(readPartialSuccess(new Uint8Array())).toEqual({ rejected: 0, message: "" });
  const later = Buffer.concat([
    Buffer.from([0x1a, 2, 1, 1, 0x25, 1, 2, 3, 4]),
    encode({ partialSuccess: { rejectedSpans: 3 } }),
  ]);
  expect(readPartialSuccess(later)).toEqual({ rejected: 3, message: "" });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void readPartialSuccess(bytes)));
});
