import { Room } from "@colyseus/core";
import { createTraceState, type SpanContext } from "@opentelemetry/api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { annotationsWithContext, ANNOTATION_KEYS, contextFromAnnotations } from "../src/propagation/annotations.ts";
import { contextFromEnvironment, environmentWithContext } from "../src/propagation/environment.ts";
import { contextFromHeaders, headersWithContext } from "../src/propagation/headers.ts";
import {
  contextFromJoinOptions,
  joinOptionsWithContext,
  passageExtraWithContext,
  stripJoinOptions,
} from "../src/propagation/join-options.ts";
import { formatTraceparent, type Extraction } from "../src/propagation/traceparent.ts";
import { startServer, until } from "./_server.ts";

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((id) => /[^0]/.test(id));
const tracestate = fc.option(fc.constantFrom("rojo=00f067aa0ba902b7", "vendor=a,other=b"), { nil: undefined });
const spanContexts: fc.Arbitrary<SpanContext> = fc
  .record({ traceId: hex(32), spanId: hex(16), traceFlags: fc.constantFrom(0, 1), state: tracestate })
  .map(({ state, ...ids }) => ({ ...ids, isRemote: true, ...(state && { traceState: createTraceState(state) }) }));
/** What a carrier held before: other keys, and the context of somebody earlier. */
const strings = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string());
const before = fc.tuple(strings, fc.boolean()).map(([others, stale]) => ({
  ...others,
  ...(stale && { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", tracestate: "stale=1" }),
}));

const upper = (map: Record<string, string>) =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key.toUpperCase(), value]));

/** Every twin pair: a carrier like it comes, with the context put in, and what is read back. */
const TWINS: Record<
  string,
  (carrier: Record<string, string>, spanContext: SpanContext) => { carried: object; extracted: Extraction }
> = {
  "join options": (carrier, spanContext) => both(joinOptionsWithContext(carrier, spanContext), contextFromJoinOptions),
  "Passage's extra": (carrier, spanContext) =>
    both(passageExtraWithContext(carrier, spanContext), (extra) => contextFromJoinOptions({ extra })),
  headers: (carrier, spanContext) => both(headersWithContext(carrier, spanContext), contextFromHeaders),
  "fetch headers": (_carrier, spanContext) =>
    both(headersWithContext({}, spanContext), (plain) => contextFromHeaders(new Headers(plain))),
  environment: (carrier, spanContext) =>
    both(environmentWithContext(upper(carrier), spanContext), contextFromEnvironment),
  annotations: (carrier, spanContext) => both(annotationsWithContext(carrier, spanContext), contextFromAnnotations),
  "annotations with a JSON map": (carrier, spanContext) =>
    both(
      { "opentelemetry.io/trace-context": JSON.stringify(annotationsWithContext(carrier, spanContext)).slice(0, 2048) },
      contextFromAnnotations,
    ),
};

function both<T extends object>(carried: T, extract: (carrier: T) => Extraction) {
  return { carried, extracted: extract(carried) };
}

function plain(extraction: Extraction) {
  return typeof extraction === "string"
    ? extraction
    : { ...extraction, traceState: extraction.traceState?.serialize() };
}

test.each(Object.entries(TWINS))(
  "%s: what is put in is what comes out, whatever the carrier held before",
  (_name, twin) => {
    fc.assert(
      fc.property(before, spanContexts, (carrier, spanContext) => {
        expect(plain(twin(carrier, spanContext).extracted)).toEqual(plain(spanContext));
      }),
      { numRuns: 300 },
    );
  },
);

test.each(
  Object.entries({
    joinOptionsWithContext,
    passageExtraWithContext,
    headersWithContext,
    annotationsWithContext,
    environmentWithContext,
  }),
)("%s copies, and keeps what is not ours", (_name, inject) => {
  fc.assert(
    fc.property(strings, spanContexts, (carrier, spanContext) => {
      const frozen = Object.freeze({ ...carrier });
      const carried: object = inject(frozen, spanContext);
      expect(frozen).toEqual(carrier);
      expect(carried).toMatchObject(carrier);
    }),
    { numRuns: 100 },
  );
});

const VALID = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const trap = () => {
  throw new Error("somebody's code ran");
};
// fast-check looks into its values: what bites is put in only where it is used.
const BITES = "a proxy that bites";
const real = (value: unknown): unknown => (value === BITES ? hostile : value);
const hostile = new Proxy(
  {},
  { get: trap, has: trap, ownKeys: trap, getOwnPropertyDescriptor: trap, getPrototypeOf: trap },
);
const malformed = fc.oneof(
  fc.constantFrom(
    VALID.toUpperCase(),
    ` ${VALID}`,
    `${VALID} `,
    `${VALID}\n`,
    `${VALID}-`,
    `${VALID}-00`,
    VALID.replace("00-", "ff-"),
    VALID.replace("00-", "0-"),
    VALID.replace("0af7651916cd43dd8448eb211c80319c", "0".repeat(32)),
    VALID.replace("b7ad6b7169203331", "0".repeat(16)),
    VALID.replaceAll("-", "_"),
    `01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01${"x".repeat(8)}`,
    `cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-${"x".repeat(100)}`,
    "x".repeat(1 << 20),
    BITES,
    [VALID],
    new String(VALID),
    { toString: () => VALID },
    Object.create({ traceparent: VALID }),
  ),
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSparseArray: true,
    withTypedArray: true,
  }),
  fc.string(),
  // One character of a good one changed for one that is no hex digit, or cut off
  fc
    .tuple(fc.nat(VALID.length - 1), fc.constantFrom("", "g", "A", "\u0000", "０"))
    .map(([at, other]) => VALID.slice(0, at) + other + VALID.slice(at + 1)),
);
const carriers: fc.Arbitrary<() => unknown> = fc.oneof(
  { weight: 5, arbitrary: malformed.map((value) => () => everywhere(real(value))) },
  fc
    .oneof(
      fc.json(),
      fc.string().map((traceparent) => JSON.stringify({ traceparent })),
    )
    .map((json) => () => everywhere(json)),
  malformed.map((value) => () => Object.create(everywhere(VALID), { own: { value } }) as object),
  malformed.map((value) => () => ({ get: typeof value === "function" ? value : () => real(value) })),
  malformed.map((value) => () => real(value)),
  fc
    .constantFrom("extra", "traceparent", "TRACEPARENT", "get", ...ANNOTATION_KEYS)
    .map((key) => () => Object.defineProperty({}, key, { get: trap, enumerable: true })),
  fc.constant(() => ({ get: trap })),
);

function everywhere(value: unknown): object {
  const entries = ["tracestate", "TRACEPARENT", "TRACESTATE", ...ANNOTATION_KEYS].map((key) => [key, value]);
  return { ...Object.fromEntries(entries), extra: { traceparent: value } };
}

test("20,000 random payloads: extract never throws and never continues anything malformed", { timeout: 60_000 }, () => {
  const extractors = [contextFromJoinOptions, contextFromHeaders, contextFromAnnotations, contextFromEnvironment] as ((
    carrier: unknown,
  ) => Extraction)[];
  fc.assert(
    fc.property(carriers, (make) => {
      const carrier = make();
      for (const extract of extractors) {
        expect(["absent", "malformed"]).toContain(extract(carrier));
      }
    }),
    { numRuns: 20_000 },
  );
});

test.each([
  ["of a higher version", VALID.replace("00-", "01-")],
  ["of a higher version that says more", `${VALID.replace("00-", "01-")}-and-more`],
  ["with flags that nobody knows yet", VALID.replace(/01$/, "ff")],
])("a traceparent %s is read as far as it is known", (_name, traceparent) => {
  expect(contextFromJoinOptions({ traceparent })).toEqual({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    traceFlags: 1,
    isRemote: true,
  });
});

test("a tracestate that is too long is left out, and the context is continued all the same", () => {
  const extracted = contextFromHeaders({ traceparent: VALID, tracestate: `a=${"x".repeat(600)}` });
  expect(plain(extracted)).toMatchObject({ spanId: "b7ad6b7169203331", traceState: undefined });
});

test("a JSON map that is longer than any honest one is not even parsed", () => {
  const map = { traceparent: VALID, note: "x".repeat(3000) };
  expect(contextFromAnnotations({ "opentelemetry.io/trace-context": JSON.stringify(map) })).toBe("malformed");
});

test("annotations: the first key that holds a context wins, a malformed one before it does not hide it", () => {
  const carrier = {
    traceparent: "nonsense",
    "tracing.k8s.io/traceparent": VALID,
    "game.kruise.io/traceparent": VALID.replace("b7", "c8"),
  };
  expect(contextFromAnnotations(carrier)).toMatchObject({ spanId: "b7ad6b7169203331" });
  expect(contextFromAnnotations({ traceparent: "nonsense" })).toBe("malformed");
  expect(contextFromAnnotations(carrier, ["game.kruise.io/traceparent"])).toMatchObject({ spanId: "c8ad6b7169203331" });
});

test("strip removes only our keys, in place, and leaves Passage's extra alone", () => {
  fc.assert(
    fc.property(strings, (others) => {
      const options: object = {
        ...others,
        extra: { traceparent: VALID },
        traceparent: VALID,
        tracestate: "a=b",
        "colyseus-otel": "token",
      };
      stripJoinOptions(options);
      expect(options).toEqual({ ...others, extra: { traceparent: VALID } });
    }),
  );
  for (const options of [
    undefined,
    null,
    1,
    "traceparent",
    [VALID],
    Object.freeze({ traceparent: VALID }),
    Object.create({ traceparent: VALID }),
  ]) {
    expect(() => stripJoinOptions(options)).not.toThrow();
  }
});

test("hostile join options of real players: the game goes on, each is counted, and nothing of them becomes a label or a name", async () => {
  const seen: object[] = [];
  class Arena extends Room {
    override onJoin(_client: unknown, options: object) {
      seen.push(options);
    }
  }
  await using game = await startServer({ arena: Arena });
  const word = "evil-word";
  const sent = [
    ...[word, 7, true, [word], { [word]: word }, VALID.toUpperCase(), `${VALID}${word}`, word.repeat(1000)].map(
      (traceparent) => ({ traceparent }),
    ),
    { extra: { traceparent: word } },
  ];
  for (const options of sent) {
    const room = await game
      .client()
      .joinOrCreate("arena", { ...options, tracestate: word, "colyseus-otel": word, name: "Ann" });
    await room.leave();
  }
  const good = await game.client().joinOrCreate("arena", {
    traceparent: formatTraceparent({ traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 }),
    name: "Ann",
  });
  await good.leave();
  await until("the ends", () => game.recorded.named("session.lifecycle").length === sent.length + 1);
  expect(await game.recorded.points("colyseus.trace_context")).toEqual({
    "outcome=absent source=environment": 1,
    "outcome=malformed source=join_options": sent.length,
    "outcome=continued source=join_options": 1,
    "outcome=malformed source=session_token": sent.length,
    "outcome=absent source=header": sent.length + 1,
  });
  const told = [];
  for (const metric of await game.recorded.metricNames()) {
    told.push(Object.keys(await game.recorded.points(metric)));
  }
  const spans = game.recorded.spans().map(({ name, attributes }) => ({ name, attributes }));
  expect(JSON.stringify([told, spans])).not.toContain("evil");
  expect(seen.map((options) => Object.keys(options).filter((key) => key !== "extra"))).toEqual(
    seen.map(() => ["name"]),
  );
});
