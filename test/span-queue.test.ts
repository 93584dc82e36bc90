import { SpanKind } from "@opentelemetry/api";
import { emptyResource } from "@opentelemetry/resources";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSpanQueue } from "../src/sdk/exporters.ts";
import { SpanQueue, type Send, type SendFailure } from "../src/sdk/span-queue.ts";
import type { EncodableSpan } from "../src/sdk/otlp/span-chunk.ts";
import { encodeResource } from "../src/sdk/otlp/request.ts";
import { traceService, type TraceRequest } from "../demo/receiver/wire.ts";

const SCOPE = { name: "game", version: "1" };
const RESOURCE = encodeResource(emptyResource());
const AWAY: SendFailure = { again: true, reason: "away" };
const REFUSED: SendFailure = { again: false, reason: "invalid" };

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function span(name: string): EncodableSpan {
  return {
    name,
    kind: SpanKind.INTERNAL,
    spanContext: () => ({ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 }),
    parentSpanContext: undefined,
    startTime: [1, 0],
    endTime: [2, 0],
    status: { code: 0 },
    attributes: {},
    links: [],
    events: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** What a receiver reads. */
function namesIn(request: Uint8Array): string[] {
  const read = traceService()["Export"]!.requestDeserialize(Buffer.from(request)) as TraceRequest;
  return read.resourceSpans.flatMap((one) => one.scopeSpans).flatMap((one) => one.spans.map(({ name }) => name ?? ""));
}

/** A receiver that answers as told, in turn; the last answer goes on. */
function receiver(...answers: (SendFailure | undefined)[]) {
  const got: string[] = [];
  const send: Send = async (request) => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (!answer) {
      got.push(...namesIn(request));
    }
    return answer;
  };
  return { got, send };
}

function queueOf({ maxBytes = 1 << 20, batchSpans = 10 } = {}) {
  return new SpanQueue({ maxBytes, delay: 1000, batchSpans });
}

function fill(queue: SpanQueue, count: number, from = 0): string[] {
  const names = Array.from({ length: count }, (_, at) => `span ${from + at}`);
  names.forEach((name) => queue.add(SCOPE, span(name)));
  return names;
}

test("spans leave after a second, or as soon as a request is full", async () => {
  const { got, send } = receiver(undefined);
  const queue = queueOf();
  queue.connect(send, RESOURCE);
  const names = fill(queue, 12);
  await vi.advanceTimersByTimeAsync(0);
  expect(got).toEqual(names.slice(0, 10));
  await vi.advanceTimersByTimeAsync(999);
  expect(got).toHaveLength(10);
  await vi.advanceTimersByTimeAsync(1);
  expect(got).toEqual(names);
});

test("what was added before there was a connection is sent first", async () => {
  const { got, send } = receiver(undefined);
  const queue = queueOf();
  const early = fill(queue, 25);
  await vi.advanceTimersByTimeAsync(5000);
  queue.connect(send, RESOURCE);
  const late = fill(queue, 3, 100);
  await vi.advanceTimersByTimeAsync(1000);
  expect(got).toEqual([...early, ...late]);
});

test("what waits is sent as soon as there is a connection", async () => {
  const { got, send } = receiver(undefined);
  const queue = queueOf();
  const early = fill(queue, 25);
  await vi.advanceTimersByTimeAsync(5000);
  queue.connect(send, RESOURCE);
  await vi.advanceTimersByTimeAsync(0);
  expect(got).toEqual(early);
});

test("a span waits its whole second for others, whatever was sent before it", async () => {
  const { got, send } = receiver(undefined);
  const queue = queueOf();
  queue.connect(send, RESOURCE);
  fill(queue, 10);
  await vi.advanceTimersByTimeAsync(500);
  fill(queue, 1, 10);
  await vi.advanceTimersByTimeAsync(999);
  expect(got).toHaveLength(10);
  await vi.advanceTimersByTimeAsync(1);
  expect(got).toHaveLength(11);
});

test("without a connection, too, memory is bounded, and a request over the bound is never sent", async () => {
  const queue = queueOf({ maxBytes: 1000 });
  fill(queue, 1000);
  expect(queue.bytes).toBeLessThanOrEqual(1000);
  expect(queue.counts.dropped + queue.size).toBe(1000);

  const { got, send } = receiver(undefined);
  const small = queueOf({ maxBytes: 100 });
  small.connect(send, RESOURCE);
  fill(small, 10);
  await vi.advanceTimersByTimeAsync(0);
  expect([got.length, small.bytes, small.size, small.counts.dropped]).toEqual([0, 0, 0, 10]);
});

test("a batch that failed is sent again, in its place, and nothing twice", async () => {
  const { got, send } = receiver(AWAY, AWAY, AWAY, undefined);
  const queue = queueOf();
  queue.connect(send, RESOURCE);
  const names = fill(queue, 34);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(got).toEqual(names);
  expect(queue.counts).toMatchObject({ sent: 34, dropped: 0, rejected: 0 });
});

test("a collector that is away is asked again after a second, then less and less often, every five at least", async () => {
  let asked = 0;
  const queue = queueOf();
  queue.connect(async () => {
    asked += 1;
    return AWAY;
  }, RESOURCE);
  fill(queue, 1);
  await vi.advanceTimersByTimeAsync(1000 + 1200);
  expect(asked).toBe(2);
  asked = 0;
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked).toBeGreaterThanOrEqual(600 / 6);
  expect(asked).toBeLessThanOrEqual(600 / 4 + 1);
});

test("after its return, and after a flush, a collector that goes away again is asked as the first time", async () => {
  const asked: number[] = [];
  let away = true;
  const queue = queueOf();
  queue.connect(async () => {
    asked.push(Date.now());
    return away ? AWAY : undefined;
  }, RESOURCE);
  fill(queue, 1);
  await vi.advanceTimersByTimeAsync(60_000);
  away = false;
  await queue.flush();
  away = true;
  asked.length = 0;
  fill(queue, 10);
  await vi.advanceTimersByTimeAsync(10_000);
  const gaps = asked.slice(1).map((at, index) => at - asked[index]!);
  expect(gaps[0]).toBeGreaterThanOrEqual(800);
  expect(gaps[0]).toBeLessThanOrEqual(1200);
  expect(gaps[1]).toBeGreaterThanOrEqual(1600);
});

test("a batch that the collector refuses for good is counted and keeps none of the others", async () => {
  const { got, send } = receiver(REFUSED, undefined);
  const queue = queueOf();
  queue.connect(send, RESOURCE);
  const names = fill(queue, 20);
  await vi.advanceTimersByTimeAsync(1000);
  expect(got).toEqual(names.slice(10));
  expect(queue.counts).toMatchObject({ sent: 10, rejected: 10 });
});

test("an hour's absence keeps the newest that fit, and counts every span that was dropped", async () => {
  const queue = queueOf({ maxBytes: 4096 });
  const got: string[] = [];
  let away = true;
  queue.connect(async (request) => (away ? AWAY : void got.push(...namesIn(request))), RESOURCE);
  const names: string[] = [];
  for (let minute = 0; minute < 60; minute += 1) {
    names.push(...fill(queue, 100, names.length));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(queue.bytes).toBeLessThanOrEqual(4096);
  }
  const { dropped } = queue.counts;
  expect(dropped + queue.size).toBe(names.length);
  away = false;
  await vi.advanceTimersByTimeAsync(600_000);
  expect(got).toEqual(names.slice(dropped));
  expect(queue.counts).toMatchObject({ sent: names.length - dropped, dropped });
  expect(vi.mocked(console.warn).mock.calls.flat().join("\n")).toMatch(/\d+ spans were dropped, the oldest first/);
});

test("spans with very large attributes fill a request before their number does", async () => {
  const sizes: number[] = [];
  const queue = queueOf({ maxBytes: 64 << 20, batchSpans: 2048 });
  queue.connect(async (request) => void sizes.push(request.length), RESOURCE);
  for (let at = 0; at < 100; at += 1) {
    queue.add(SCOPE, { ...span("large"), attributes: { text: "x".repeat(100_000) } });
  }
  await queue.flush();
  expect(sizes.length).toBeGreaterThan(5);
  expect(Math.max(...sizes)).toBeLessThan(2 << 20);
  expect(queue.counts.sent).toBe(100);
});

test.each([
  ["3", "1000", [3, 3, 1]],
  ["0", "1000", [1, 1, 1, 1, 1, 1, 1]],
  ["1000", "200", [7]],
])(
  "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=%s and OTEL_BSP_SCHEDULE_DELAY=%s: requests of %j spans",
  async (most, delay, sizes) => {
    const env = { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: most, OTEL_BSP_SCHEDULE_DELAY: delay };
    const queue = createSpanQueue(1 << 20, env)!;
    const requests: number[] = [];
    queue.connect(async (_request, spans) => void requests.push(spans), RESOURCE);
    fill(queue, 7);
    await vi.advanceTimersByTimeAsync(Number(delay) - 1);
    expect(requests).not.toEqual([7]);
    await vi.advanceTimersByTimeAsync(1);
    expect(requests).toEqual(sizes);
  },
);

test("a flush ends when what waited has left, and does not wait for what comes later", async () => {
  const { got, send } = receiver(undefined);
  const queue = queueOf();
  queue.connect(send, RESOURCE);
  const names = fill(queue, 15);
  await queue.flush();
  expect(got).toEqual(names);
  await queue.flush();
});

test("a flush to a collector that was never there ends at the first failure; one that was is asked again", async () => {
  const queue = queueOf();
  const never = receiver(AWAY);
  queue.connect(never.send, RESOURCE);
  fill(queue, 1);
  await queue.flush();

  const other = queueOf();
  const back = receiver(undefined, AWAY, AWAY, AWAY, undefined);
  other.connect(back.send, RESOURCE);
  fill(other, 1);
  await other.flush();
  fill(other, 1, 1);
  const flushed = other.flush();
  await vi.advanceTimersByTimeAsync(1000);
  await flushed;
  expect(back.got).toEqual(["span 0", "span 1"]);
});

test("a flush between two attempts takes the place of the next one", async () => {
  let asked = 0;
  const queue = queueOf();
  queue.connect(async () => {
    asked += 1;
    return AWAY;
  }, RESOURCE);
  fill(queue, 10);
  await vi.advanceTimersByTimeAsync(100);
  await queue.flush();
  expect(asked).toBe(2);
  await vi.advanceTimersByTimeAsync(1500);
  expect(asked).toBe(2);
});

test("a span that cannot be encoded is counted, and its neighbours are whole", async () => {
  const { got, send } = receiver(undefined);
  const queue = queueOf();
  queue.connect(send, RESOURCE);
  queue.add(SCOPE, span("before"));
  const attributes = {
    get bad(): string {
      throw new Error("not mine");
    },
  };
  queue.add(SCOPE, { ...span("bad"), attributes });
  queue.add(SCOPE, span("after"));
  await queue.flush();
  expect(got).toEqual(["before", "after"]);
  expect(queue.counts).toMatchObject({ sent: 2, unencodable: 1 });
});

test("after close() it holds nothing, takes nothing and sends nothing, and no flush waits for it", async () => {
  let requests = 0;
  const answer = Promise.withResolvers<SendFailure | undefined>();
  const queue = queueOf();
  queue.connect(() => {
    requests += 1;
    return answer.promise;
  }, RESOURCE);
  fill(queue, 25);
  const flushed = queue.flush();
  fill(queue, 3);
  queue.close();
  fill(queue, 25);
  answer.resolve(AWAY);
  await vi.advanceTimersByTimeAsync(60_000);
  await flushed;
  await queue.flush();
  expect([requests, queue.size, queue.bytes]).toEqual([1, 0, 0]);
});

test("after any run of failures, refusals and floods, every span is sent once, dropped, rejected or waiting", async () => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ wait: fc.integer({ min: 1, max: 20_000 }) }),
    fc.record({ answers: fc.array(fc.constantFrom(undefined, AWAY, REFUSED), { minLength: 1, maxLength: 5 }) }),
    fc.constant({ flush: true }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.integer({ min: 500, max: 5000 }),
      async (steps, maxBytes) => {
        const queue = queueOf({ maxBytes });
        let answers: (SendFailure | undefined)[] = [undefined];
        const got: string[] = [];
        queue.connect(async (request) => {
          await Promise.resolve();
          const answer = answers.length > 1 ? answers.shift() : answers[0];
          if (!answer) {
            got.push(...namesIn(request));
          }
          return answer;
        }, RESOURCE);
        let added = 0;
        for (const one of steps) {
          if ("add" in one) {
            fill(queue, one.add, added);
            added += one.add;
          } else if ("wait" in one) {
            await vi.advanceTimersByTimeAsync(one.wait);
          } else if ("answers" in one) {
            answers = [...one.answers];
          } else {
            void queue.flush();
          }
          const { sent, dropped, rejected } = queue.counts;
          expect(sent + dropped + rejected + queue.size).toBe(added);
        }
        answers = [undefined];
        await vi.advanceTimersByTimeAsync(10_000);
        const { sent, dropped, rejected } = queue.counts;
        expect([queue.size, queue.bytes, sent + dropped + rejected]).toEqual([0, 0, added]);
        expect(got).toHaveLength(sent);
        expect(got).toEqual([...new Set(got)].toSorted((a, b) => Number(a.slice(5)) - Number(b.slice(5))));
      },
    ),
    { numRuns: 200 },
  );
});
