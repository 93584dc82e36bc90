import * as api from "@opentelemetry/api";
import {
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  trace,
  type Context,
  type Span,
  type SpanContext,
} from "@opentelemetry/api";
import { isTracingSuppressed, suppressTracing, unsuppressTracing } from "@opentelemetry/core";
import * as older from "opentelemetry-api-1-9";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { withSpan, withValue } from "../src/internal/linked-context.ts";

const KEYS = ["a", "b", "c"].map((name) => createContextKey(name));
const SPAN_CONTEXT: SpanContext = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1 };

afterEach(() => {
  vi.doUnmock("@opentelemetry/api");
  vi.resetModules();
});

/** What can be done to a context. Both worlds get it; only `link` and `linkSpan` are made by us in one of them. */
interface Op {
  readonly does: "link" | "linkSpan" | "set" | "delete" | "setSpan" | "deleteSpan" | "baggage" | "suppress" | "release";
  readonly key: symbol;
  readonly value: unknown;
  readonly span: Span;
}

const op: fc.Arbitrary<Op> = fc.record({
  does: fc.constantFrom(
    ...(["link", "linkSpan", "set", "delete", "setSpan", "deleteSpan", "baggage", "suppress", "release"] as const),
  ),
  key: fc.constantFrom(...KEYS),
  value: fc.constantFrom<unknown>(1, "text", null, undefined, false, 0),
  span: fc
    .constantFrom("1", "2", "3")
    .map((digit) => trace.wrapSpanContext({ ...SPAN_CONTEXT, spanId: digit.repeat(16) })),
});

const THEIRS = {
  link: (to: Context, { key, value }: Op) => to.setValue(key, value),
  linkSpan: (to: Context, { span }: Op) => trace.setSpan(to, span),
};
const OURS = {
  link: (to: Context, { key, value }: Op) => withValue(to, key, value),
  linkSpan: (to: Context, { span }: Op) => withSpan(to, span),
};

function apply(to: Context, one: Op, { link, linkSpan }: typeof OURS): Context {
  switch (one.does) {
    case "link":
      return link(to, one);
    case "linkSpan":
      return linkSpan(to, one);
    case "set":
      return to.setValue(one.key, one.value);
    case "delete":
      return to.deleteValue(one.key);
    case "setSpan":
      return trace.setSpan(to, one.span);
    case "deleteSpan":
      return trace.deleteSpan(to);
    case "baggage":
      return propagation.setBaggage(to, propagation.createBaggage({ who: { value: String(one.value) } }));
    case "suppress":
      return suppressTracing(to);
    case "release":
      return unsuppressTracing(to);
  }
}

function read(from: Context): unknown {
  return [
    KEYS.map((key) => from.getValue(key)),
    trace.getSpan(from),
    trace.getSpanContext(from),
    propagation.getBaggage(from)?.getAllEntries(),
    isTracingSuppressed(from),
  ];
}

test("whatever is set, deleted and asked, also of contexts in between, a context of ours answers as the API's own", () => {
  const ops = fc.array(fc.tuple(op, fc.nat()), { maxLength: 40 });
  fc.assert(
    fc.property(ops, (steps) => {
      const [ours, theirs] = [[ROOT_CONTEXT], [ROOT_CONTEXT]];
      for (const [one, from] of steps) {
        // From any of them, not only the last: none may change when another one is made of it.
        const at = from % ours.length;
        ours.push(apply(ours[at]!, one, OURS));
        theirs.push(apply(theirs[at]!, one, THEIRS));
      }
      expect(ours.map(read)).toEqual(theirs.map(read));
    }),
    { numRuns: 500 },
  );
});

test("a game that begins each span in the last one's context, for days, is as well off as with the API's own", () => {
  let active = withSpan(ROOT_CONTEXT, trace.wrapSpanContext(SPAN_CONTEXT));
  let last: Span | undefined;
  for (let tick = 0; tick < 50_000; tick += 1) {
    last = trace.wrapSpanContext({ ...SPAN_CONTEXT });
    active = tick % 2 === 0 ? trace.setSpan(active, last) : withSpan(withValue(active, KEYS[tick % 3]!, tick), last);
  }
  expect(isTracingSuppressed(active)).toBe(false);
  expect(trace.getSpan(active)).toBe(last);
  expect(KEYS.map((key) => active.getValue(key))).toEqual([49_995, 49_999, 49_997]);
});

test.each([
  ["1.10", api, api],
  ["1.9", older, older],
  ["1.9 in the game and 1.10 beside us", api, older],
  ["1.10 in the game and 1.9 beside us", older, api],
] as const)("with the API %s, the span that we put in is the one that the game finds", async (_which, beside, game) => {
  vi.resetModules();
  vi.doMock("@opentelemetry/api", () => beside);
  const linked = await import("../src/internal/linked-context.ts");
  expect(linked.withSpan).not.toBe(withSpan);
  const span = beside.trace.wrapSpanContext(SPAN_CONTEXT);
  const inside = linked.withSpan(beside.ROOT_CONTEXT, span);
  expect(game.trace.getSpan(inside)).toBe(span);
  expect(game.trace.getSpanContext(inside)).toBe(SPAN_CONTEXT);
  expect(game.trace.getSpan(game.trace.deleteSpan(inside))).toBeUndefined();
});
