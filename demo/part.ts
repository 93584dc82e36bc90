import type { ExpectedSpan } from "./expected-span.ts";
import { count } from "./format.ts";
import type { ReceivedLink, ReceivedSpan } from "./receiver/spans.ts";

/** How much earlier than another process' span one may start: two processes read two clocks. Milliseconds. */
export const CLOCK_TOLERANCE = 5;

/** Everything that was received, and the service of each name of the stories. */
export interface Run {
  readonly byId: ReadonlyMap<string, ReceivedSpan>;
  readonly services: ReadonlyMap<string, string>;
}

/** What is missing, wrong or too much in one player's story, the span's name first. `own`: the spans that may be of it. */
export function wrongInPart(run: Run, told: readonly ExpectedSpan[], own: readonly ReceivedSpan[]): string[] {
  const story = repeated(told, own);
  const found = pairUp(story, own);
  return [
    ...story.flatMap((expected) => wrongSpan(run, { story, found }, expected)),
    ...[...Map.groupBy(own, ({ name }) => name)].flatMap(([name, spans]) => tooMany(run, story, name, spans.length)),
  ];
}

/** With what may come more than once as often as it came. */
function repeated(story: readonly ExpectedSpan[], own: readonly ReceivedSpan[]): readonly ExpectedSpan[] {
  return story.flatMap((expected) => {
    if (!expected.many) return [expected];
    const isNamed = ({ name }: { readonly name: string }) => name === expected.name;
    const more = own.filter(isNamed).length - story.filter(isNamed).length;
    return Array.from({ length: 1 + Math.max(0, more) }, () => ({ ...expected }));
  });
}

interface Pairs {
  readonly story: readonly ExpectedSpan[];
  readonly found: ReadonlyMap<ExpectedSpan, ReceivedSpan>;
}

// Of one name the first in time is the story's first; another service's only where its own has none.
function pairUp(story: readonly ExpectedSpan[], own: readonly ReceivedSpan[]): Pairs["found"] {
  const byName = Map.groupBy(
    own.toSorted((a, b) => a.startMs - b.startMs),
    ({ name }) => name,
  );
  const found = new Map<ExpectedSpan, ReceivedSpan>();
  const take = (expected: ExpectedSpan, from: (span: ReceivedSpan) => boolean) => {
    const left = byName.get(expected.name) ?? [];
    const at = found.has(expected) ? -1 : left.findIndex(from);
    if (at >= 0) found.set(expected, left.splice(at, 1)[0]!);
  };
  for (const expected of story) take(expected, (span) => serviceOf(span) === expected.service);
  for (const expected of story) take(expected, () => true);
  return found;
}

function tooMany({ services }: Run, story: readonly ExpectedSpan[], name: string, received: number): string[] {
  const wanted = story.filter((expected) => expected.name === name).length;
  if (!services.has(name) || received <= wanted) return [];
  return [`${name}: ${count(received, "span")}, and the story has ${wanted === 1 ? "one" : wanted || "none"}`];
}

function wrongSpan(run: Run, pairs: Pairs, expected: ExpectedSpan): string[] {
  const { name, service, optional } = expected;
  const span = pairs.found.get(expected);
  if (span === undefined) return optional ? [] : [`${name}: missing`];
  const actual = serviceOf(span);
  return [
    ...wrongParent(run, pairs, span, expected),
    ...wrongStart(pairs, span, expected),
    ...missingLink(run, pairs, span, expected),
    ...(actual === service ? [] : [`${name}: from service ${actual}, not ${service}`]),
    ...wrongAttributes(span, expected),
  ];
}

function wrongParent(run: Run, pairs: Pairs, span: ReceivedSpan, { name, parent }: ExpectedSpan): string[] {
  if (parent === undefined)
    return span.parentSpanId === undefined ? [] : [`${name}: not the root of its trace (${whose(run, span)})`];
  const wanted = named(pairs, parent);
  if (wanted !== undefined && isChild(span, wanted)) return [];
  return [`${name}: not a child of ${parent} (${whose(run, span)})`];
}

function wrongStart(pairs: Pairs, span: ReceivedSpan, { name, during }: ExpectedSpan): string[] {
  if (during === undefined) return [];
  const other = named(pairs, during);
  const inside = other && span.startMs >= other.startMs - CLOCK_TOLERANCE && span.startMs <= other.endMs;
  return inside ? [] : [`${name}: does not begin during ${during}`];
}

function missingLink({ byId }: Run, pairs: Pairs, span: ReceivedSpan, { name, link }: ExpectedSpan): string[] {
  if (link === undefined) return [];
  const target = named(pairs, link);
  const isTarget = target
    ? ({ traceId, spanId }: ReceivedLink) => traceId === target.traceId && spanId === target.spanId
    : ({ traceId, spanId }: ReceivedLink) => byId.get(spanId)?.traceId === traceId && byId.get(spanId)?.name === link;
  return span.links.some(isTarget) ? [] : [`${name}: no link to ${link}`];
}

function wrongAttributes(span: ReceivedSpan, { name, attributes = [], values = {} }: ExpectedSpan): string[] {
  const absent = attributes.filter((key) => span.attributes[key] === undefined).map((key) => `${name}: without ${key}`);
  const wrong = Object.entries(values)
    .map(([key, wanted]) => ({ key, wanted, actual: span.attributes[key] ?? null }))
    .filter(({ wanted, actual }) => actual !== wanted)
    .map(({ key, wanted, actual }) => `${name}: ${key} is ${String(actual ?? "none")}, not ${wanted ?? "none"}`);
  return [...absent, ...wrong];
}

function named({ story, found }: Pairs, label: string): ReceivedSpan | undefined {
  const expected = story.find(({ name, as = name }) => as === label);
  return expected && found.get(expected);
}

/** What a span hangs from, in words. */
export function whose({ byId, services }: Run, span: ReceivedSpan): string {
  if (span.parentSpanId === undefined) return "it has no parent";
  const parent = byId.get(span.parentSpanId);
  if (parent === undefined) return `its parent ${span.parentSpanId} was not received`;
  const service = serviceOf(parent);
  const usual = services.get(parent.name) ?? service;
  if (isChild(span, parent) && usual !== service) return `but of ${service}'s ${parent.name}`;
  return isChild(span, parent) ? `its parent is ${parent.name}` : `its parent ${parent.name} is in another trace`;
}

export function isChild(span: ReceivedSpan, parent: ReceivedSpan): boolean {
  return span.parentSpanId === parent.spanId && span.traceId === parent.traceId;
}

export function serviceOf(span: ReceivedSpan): string {
  return String(span.resource["service.name"]);
}
