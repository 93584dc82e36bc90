import { createTraceState, SpanKind, SpanStatusCode, type Attributes } from "@opentelemetry/api";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import fc from "fast-check";
import { expect, test } from "vitest";
import { traceService, type TraceRequest } from "../demo/receiver/wire.ts";
import { rememberTexts } from "../src/sdk/otlp/attributes.ts";
import { encodeResource, encodeScope, encodeTraceRequest } from "../src/sdk/otlp/request.ts";
import { createSpanChunk } from "../src/sdk/otlp/span-chunk.ts";

type Span = Omit<ReadableSpan, "duration" | "ended">;

const hex = (length: number) =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((id) => /[1-9a-f]/.test(id));
/** Lone surrogates, too. */
const text = fc.oneof(
  fc.string({ maxLength: 70 }),
  fc.string({ unit: "grapheme", maxLength: 70 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((codes) => String.fromCharCode(...codes)),
);
const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(-0, 127, 128, 0x7fff_ffff, 0x8000_0000, 2 ** 53, -(2 ** 63), 2 ** 63, 1e300, Number.NaN),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(fc.oneof(tie("value"), fc.constant(undefined)), { maxLength: 5 }),
    fc.dictionary(text, tie("value"), { maxKeys: 5 }),
  ),
}));
const attributes = fc.dictionary(text, value, { maxKeys: 12 }) as fc.Arbitrary<Attributes>;
const time = fc.tuple(fc.integer({ min: 0, max: 4_000_000_000 }), fc.integer({ min: 0, max: 999_999_999 }));
const count = fc.oneof(fc.constant(0), fc.nat(100_000));
const spanContext = fc.record(
  {
    traceId: hex(32),
    spanId: hex(16),
    traceFlags: fc.integer({ min: 0, max: 0x3ff }),
    isRemote: fc.boolean(),
    traceState: fc.constantFrom(createTraceState("a=1,b@c=2"), createTraceState("")),
  },
  { requiredKeys: ["traceId", "spanId", "traceFlags"] },
);
const SCOPES = [
  { name: "game", version: "1.2.3", schemaUrl: "https://schema.example/1" },
  { name: "näme" },
  { name: "" },
];

const span = fc
  .record({
    context: spanContext,
    parent: fc.option(spanContext, { nil: undefined }),
    name: text,
    kind: fc.constantFrom(SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER),
    startTime: time,
    endTime: time,
    attributes,
    status: fc.record(
      {
        code: fc.constantFrom(SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR),
        message: text,
      },
      { requiredKeys: ["code"] },
    ),
    events: fc.array(
      fc.record({ time, name: text, attributes, droppedAttributesCount: count }, { requiredKeys: ["time", "name"] }),
      { maxLength: 3 },
    ),
    links: fc.array(
      fc.record({ context: spanContext, attributes, droppedAttributesCount: count }, { requiredKeys: ["context"] }),
      { maxLength: 3 },
    ),
    droppedAttributesCount: count,
    droppedEventsCount: count,
    droppedLinksCount: count,
    scope: fc.constantFrom(...SCOPES),
  })
  .map(({ context, parent, scope, ...rest }) => ({
    ...rest,
    spanContext: () => context,
    ...(parent && { parentSpanContext: parent }),
    instrumentationScope: scope,
  })) as fc.Arbitrary<Omit<Span, "resource">>;

const RESOURCE = resourceFromAttributes(
  { "service.name": "arena", replicas: 3, tags: ["a", "b"] },
  { schemaUrl: "https://schema.example/2" },
);

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function ours(spans: readonly Omit<Span, "resource">[]): Uint8Array {
  const byScope = [...Map.groupBy(spans, ({ instrumentationScope }) => instrumentationScope)];
  return encodeTraceRequest(
    encodeResource(RESOURCE),
    byScope.map(([scope, those]) => {
      const chunk = createSpanChunk();
      those.forEach((one) => expect(chunk.append(one)).toBe(true));
      expect(chunk.count).toBe(those.length);
      return { scope: encodeScope(scope), spans: chunk.take() };
    }),
  );
}

function official(spans: readonly Omit<Span, "resource">[]): Uint8Array {
  return ProtobufTraceSerializer.serializeRequest(
    spans.map((one) => ({ ...one, resource: RESOURCE, duration: [0, 0], ended: true })),
  )!;
}

test("random spans are byte for byte what the official serializer writes", () => {
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 6 }), (spans) => {
      expect(hexOf(ours(spans))).toBe(hexOf(official(spans)));
    }),
    { numRuns: 1000 },
  );
}, 60_000);

const PLAIN: Omit<Span, "resource"> = {
  name: "room.join arena",
  kind: SpanKind.SERVER,
  spanContext: () => ({ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 }),
  startTime: [1_795_224_134, 250_000_000],
  endTime: [1_795_224_134, 999_999_999],
  attributes: {},
  status: { code: SpanStatusCode.UNSET },
  links: [],
  events: [],
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
  droppedLinksCount: 0,
  instrumentationScope: { name: "game" },
};

test.each([
  ["a text of 100 kB", { text: "x".repeat(100_000), unicode: "ü€😀".repeat(20_000) }],
  [
    "texts around the lengths at which a length grows",
    Object.fromEntries([47, 48, 49, 126, 127, 128, 16_383, 16_384].map((length) => [`a${length}`, "y".repeat(length)])),
  ],
  ["long keys and an empty one", { [`k${"e".repeat(300)}`]: 1, [`k${"f".repeat(200)}`]: "short", "": "" }],
  [
    "short texts far past the first buffer",
    Object.fromEntries(Array.from({ length: 9000 }, (_, at) => [`key ${at}`, "v".repeat(at % 49)])),
  ],
  ["functions, symbols and bigints, which OTLP does not know", { f: () => {}, s: Symbol("s"), b: 1n }],
  ["an array of a thousand", { many: Array.from({ length: 1000 }, (_, at) => at - 500) }],
])("%s: byte for byte as the official serializer writes it", (_what, given) => {
  const spans = [{ ...PLAIN, attributes: given }, PLAIN];
  expect(hexOf(ours(spans))).toBe(hexOf(official(spans)));
});

test("keys and names that never end are whole, also past those that are remembered", () => {
  const spans = Array.from({ length: 2500 }, (_, at) => ({
    ...PLAIN,
    name: `name ${at}`,
    attributes: { [`key ${at}`]: at },
  }));
  expect(hexOf(ours(spans))).toBe(hexOf(official(spans)));
});

test("a span that cannot be read is left out whole, and its neighbours are as they were", () => {
  const cycle: Record<string, unknown> = {};
  cycle["again"] = cycle;
  const bad = [
    {
      get key(): string {
        throw new Error("not mine");
      },
    },
    { cycle } as unknown as Attributes,
  ];
  const chunk = createSpanChunk();
  expect(chunk.append(PLAIN)).toBe(true);
  for (const given of bad) {
    const before = chunk.bytes;
    expect(chunk.append({ ...PLAIN, attributes: given })).toBe(false);
    expect(chunk.bytes).toBe(before);
  }
  expect(chunk.append({ ...PLAIN, name: "after" })).toBe(true);
  expect(chunk.count).toBe(2);
  const request = encodeTraceRequest(encodeResource(RESOURCE), [
    { scope: encodeScope(PLAIN.instrumentationScope), spans: chunk.take() },
  ]);
  expect(hexOf(request)).toBe(hexOf(official([PLAIN, { ...PLAIN, name: "after" }])));
  expect([chunk.count, chunk.bytes]).toEqual([0, 0]);
});

/** Where a span of plain JavaScript, or of another SDK, may have anything. */
const ANYWHERE: Readonly<Record<string, (odd: unknown) => object>> = {
  name: (odd) => ({ name: odd }),
  kind: (odd) => ({ kind: odd }),
  "trace id": (odd) => ({ spanContext: () => ({ ...PLAIN.spanContext(), traceId: odd }) }),
  "span id": (odd) => ({ spanContext: () => ({ ...PLAIN.spanContext(), spanId: odd }) }),
  "trace flags": (odd) => ({ spanContext: () => ({ ...PLAIN.spanContext(), traceFlags: odd }) }),
  "trace state": (odd) => ({ spanContext: () => ({ ...PLAIN.spanContext(), traceState: { serialize: () => odd } }) }),
  parent: (odd) => ({ parentSpanContext: odd }),
  "parent's id": (odd) => ({ parentSpanContext: { ...PLAIN.spanContext(), spanId: odd } }),
  time: (odd) => ({ startTime: odd }),
  seconds: (odd) => ({ endTime: [odd, 0] }),
  "status code": (odd) => ({ status: { code: odd } }),
  "status message": (odd) => ({ status: { code: 2, message: odd } }),
  attributes: (odd) => ({ attributes: odd }),
  attribute: (odd) => ({ attributes: { odd } }),
  "dropped attributes": (odd) => ({ droppedAttributesCount: odd }),
  event: (odd) => ({ events: [odd] }),
  "event's name": (odd) => ({ events: [{ time: [1, 1], name: odd }] }),
  "event's dropped attributes": (odd) => ({ events: [{ time: [1, 1], name: "e", droppedAttributesCount: odd }] }),
  link: (odd) => ({ links: [{ context: odd }] }),
  "link's trace id": (odd) => ({ links: [{ context: { ...PLAIN.spanContext(), traceId: odd } }] }),
  "link's span id": (odd) => ({ links: [{ context: { ...PLAIN.spanContext(), spanId: odd } }] }),
};

const odd = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withTypedArray: true, withNullPrototype: true }),
  fc.constantFrom(-1, 128, 300, 2 ** 31, 2 ** 32, 2 ** 40, -(2 ** 40), Number.POSITIVE_INFINITY, 1n, Symbol("s")),
  fc.constantFrom("", "abc", "abcde", "a".repeat(400), () => {}, { length: 7 }, { length: -5 }, new Error("e")),
);

test("whatever stands in a span, the spans beside it arrive, and no id has a size that a collector refuses", () => {
  const read = traceService()["Export"]!.requestDeserialize;
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(ANYWHERE)), odd, (where, value) => {
      const chunk = createSpanChunk();
      chunk.append({ ...PLAIN, name: "before" });
      const encoded = chunk.append({ ...PLAIN, ...ANYWHERE[where]!(value) });
      chunk.append({ ...PLAIN, name: "after" });
      const request = encodeTraceRequest(encodeResource(RESOURCE), [
        { scope: encodeScope(PLAIN.instrumentationScope), spans: chunk.take() },
      ]);
      const spans = (read(Buffer.from(request)) as TraceRequest).resourceSpans[0]!.scopeSpans[0]!.spans;
      expect(spans.length).toBe(encoded ? 3 : 2);
      expect([spans[0]!.name, spans.at(-1)!.name]).toEqual(["before", "after"]);
      for (const { traceId, spanId } of spans.flatMap((one) => [one, ...one.links])) {
        expect([traceId?.length, spanId?.length]).toEqual([16, 8]);
      }
    }),
    { numRuns: 3000 },
  );
}, 60_000);

test.each([
  ["a text", "x".repeat(3 << 20)],
  ["bytes", new Uint8Array(3 << 20)],
  ["an array of four billion holes", Object.assign([], { length: 2 ** 32 - 1 })],
])("a span that would make its request too large for a receiver is left out: %s", (_what, large) => {
  const chunk = createSpanChunk();
  chunk.append(PLAIN);
  const before = chunk.bytes;
  expect(chunk.append({ ...PLAIN, attributes: { large } })).toBe(false);
  expect([chunk.count, chunk.bytes]).toEqual([1, before]);
  expect(chunk.append(PLAIN)).toBe(true);
});

const WITHOUT_ID = { ...PLAIN.spanContext(), spanId: "" };

test("a parent without an id is none, as the official serializer has it", () => {
  const spans = [{ ...PLAIN, parentSpanContext: WITHOUT_ID }];
  expect(hexOf(ours(spans))).toBe(hexOf(official(spans)));
});

test.each([
  ["its own", { spanContext: () => ({ ...PLAIN.spanContext(), traceId: "0af765" }) }],
  ["its parent's", { parentSpanContext: { ...PLAIN.spanContext(), spanId: "0".repeat(32) } }],
  ["a link's", { links: [{ context: WITHOUT_ID }] }],
])("a span with an id of another size than OTLP's is left out: %s", (_what, malformed) => {
  expect(createSpanChunk().append({ ...PLAIN, ...malformed })).toBe(false);
});

test("texts are remembered while they are short and few", () => {
  const field = rememberTexts(0x0a);
  const again = (text: string) => field(text) === field(text);
  expect(again("room.join arena")).toBe(true);
  expect(again("x".repeat(1000))).toBe(false);
  Array.from({ length: 1000 }, (_, at) => field(`name ${at}`));
  expect(again("one too many")).toBe(false);
});
