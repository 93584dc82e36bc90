import { playersOf } from "../demo/cast.ts";
import type { ExpectedSpan } from "../demo/expected-span.ts";
import type { Cast, Part } from "../demo/expected.ts";
import type { ReceivedSpan } from "../demo/receiver/spans.ts";

export interface Mutation {
  /** What was done, for the test's message. */
  readonly what: string;
  /** Name of the span it was done to: the verdict must contain it. */
  readonly name: string;
  readonly spans: readonly ReceivedSpan[];
}

/**
 * Every way of breaking one span of a whole run that can be seen from outside: dropped, re-parented to a stranger, to
 * nobody and to another span, in another trace, without its links or attributes, with another value, before its parent, ended before its start, twice.
 * Left out is what leaves a whole trace: dropping what the story does not ask for, moving a childless root.
 */
export function mutations(spans: readonly ReceivedSpan[], cast: Cast): Mutation[] {
  const players = playersOf(spans);
  const partOf = (span: ReceivedSpan): Part =>
    cast.find(({ player }) => players.get(player)?.includes(span)) ?? cast[0];
  return spans.flatMap((span, at) => {
    const part = partOf(span);
    const own = spans
      .filter(({ name }, other) => name === span.name && other < at)
      .filter((other) => partOf(other) === part);
    const expected = part.story.filter(({ name }) => name === span.name)[own.length];
    const change = (what: string, ...replacement: readonly ReceivedSpan[]): Mutation => ({
      what: `${span.name} ${what}`,
      name: span.name,
      spans: spans.toSpliced(at, 1, ...replacement),
    });
    return [
      ...removals(span, expected, change),
      ...moves(span, spans, change, expected !== undefined),
      ...distortions(span, spans, change),
    ];
  });
}

type Change = (what: string, ...replacement: readonly ReceivedSpan[]) => Mutation;

function removals(span: ReceivedSpan, expected: ExpectedSpan | undefined, change: Change): Mutation[] {
  return [
    ...(expected !== undefined && !expected.optional ? [change("dropped")] : []),
    ...(expected?.link !== undefined ? [change("without its links", { ...span, links: [] })] : []),
    ...(expected !== undefined && asksForAttributes(expected)
      ? [change("without its attributes", { ...span, attributes: {} })]
      : []),
    ...Object.keys(expected?.values ?? {}).map((key) =>
      change(`with another ${key}`, { ...span, attributes: { ...span.attributes, [key]: "another" } }),
    ),
    change("twice", span, span),
  ];
}

function asksForAttributes({ attributes = [], values = {} }: ExpectedSpan): boolean {
  return attributes.length > 0 || Object.values(values).some((value) => value !== null);
}

function moves(span: ReceivedSpan, spans: readonly ReceivedSpan[], change: Change, inStory: boolean): Mutation[] {
  const others = spans.filter(({ traceId, spanId }) => traceId === span.traceId && spanId !== span.spanId);
  const strangers = others.filter(({ spanId }) => spanId !== span.parentSpanId);
  const hasChildren = others.some(({ parentSpanId }) => parentSpanId === span.spanId);
  return [
    change("under an unknown parent", { ...span, parentSpanId: "f".repeat(16) }),
    ...strangers
      .filter(() => inStory)
      .map((other) => change(`under ${other.name}`, { ...span, parentSpanId: other.spanId })),
    ...(inStory && span.parentSpanId ? [change("under nobody", { ...span, parentSpanId: undefined })] : []),
    ...(hasChildren || span.parentSpanId ? [change("in another trace", { ...span, traceId: "f".repeat(32) })] : []),
  ];
}

function distortions(span: ReceivedSpan, spans: readonly ReceivedSpan[], change: Change): Mutation[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return [
    change("ended before its start", { ...span, endMs: span.startMs - 1 }),
    change("of another service", { ...span, resource: { ...span.resource, "service.name": "nobody" } }),
    ...(parent ? [change("6 ms before its parent", { ...span, startMs: parent.startMs - 6 })] : []),
  ];
}
