import type { ExpectedSpan } from "./expected.ts";
import { SERVICES } from "./expected.ts";
import type { ReceivedSpan } from "./receiver/spans.ts";

/** How much earlier than its parent a child may start: two processes read two clocks. Milliseconds. */
const CLOCK_TOLERANCE = 5;

/**
 * What is missing or wrong in one server's boot and one player's way, a line each, the span's name first. Empty: the
 * trace is whole. Expects the spans of exactly one run with one player.
 */
export function verdict(spans: readonly ReceivedSpan[], story: readonly ExpectedSpan[]): string[] {
  const run = index(spans, story);
  return [
    ...story.flatMap((expected) => wrongInStory(run, expected)),
    ...spans.flatMap((span) => [...wrongTimes(run, span), ...strayed(run, span)]),
    ...repeatedIds(spans),
  ];
}

interface Run {
  readonly byName: ReadonlyMap<string, readonly ReceivedSpan[]>;
  readonly byId: ReadonlyMap<string, ReceivedSpan>;
  /** The services of the story's spans, by name. */
  readonly story: ReadonlyMap<string, string>;
}

function index(spans: readonly ReceivedSpan[], story: readonly ExpectedSpan[]): Run {
  return {
    byName: Map.groupBy(spans, (span) => span.name),
    byId: new Map(spans.map((span) => [span.spanId, span])),
    story: new Map(story.map(({ name, service }) => [name, service])),
  };
}

function wrongInStory(run: Run, expected: ExpectedSpan): string[] {
  const { name, optional } = expected;
  const [span, ...more] = run.byName.get(name) ?? [];
  if (span === undefined) return optional ? [] : [`${name}: missing`];
  if (more.length > 0) return [`${name}: ${more.length + 1} spans, and the story has one`];
  return [
    ...wrongParent(run, span, expected),
    ...missingLink(run, span, expected),
    ...wrongService(span, expected),
    ...missingAttributes(span, expected),
  ];
}

function wrongParent(run: Run, span: ReceivedSpan, { name, parent }: ExpectedSpan): string[] {
  if (parent === undefined)
    return span.parentSpanId === undefined ? [] : [`${name}: not the root of its trace (${whose(run, span)})`];
  const wanted = named(run, parent);
  if (wanted !== undefined && isChild(span, wanted)) return [];
  return [`${name}: not a child of ${parent} (${whose(run, span)})`];
}

function missingLink(run: Run, span: ReceivedSpan, { name, link }: ExpectedSpan): string[] {
  if (link === undefined) return [];
  const target = named(run, link);
  const found = span.links.some(({ traceId, spanId }) => traceId === target?.traceId && spanId === target.spanId);
  return found ? [] : [`${name}: no link to ${link}`];
}

function wrongService(span: ReceivedSpan, { name, service }: ExpectedSpan): string[] {
  const actual = serviceOf(span);
  return actual === service ? [] : [`${name}: from service ${actual}, not ${service}`];
}

function missingAttributes(span: ReceivedSpan, { name, attributes = [] }: ExpectedSpan): string[] {
  return attributes.filter((key) => span.attributes[key] === undefined).map((key) => `${name}: without ${key}`);
}

function wrongTimes(run: Run, span: ReceivedSpan): string[] {
  const wrong: string[] = [];
  if (span.endMs < span.startMs) wrong.push(`${span.name}: ends before it starts`);
  const parent = parentOf(run, span);
  const lead = parent === undefined ? 0 : parent.startMs - span.startMs;
  if (lead > CLOCK_TOLERANCE)
    wrong.push(`${span.name}: starts ${lead.toFixed(1)} ms before its parent ${parent?.name}`);
  return wrong;
}

// Spans that the story does not name (the game's own) must still hang somewhere and come from a known process.
function strayed(run: Run, span: ReceivedSpan): string[] {
  if (run.story.has(span.name)) return [];
  const wrong: string[] = [];
  if (span.parentSpanId !== undefined && parentOf(run, span) === undefined)
    wrong.push(`${span.name}: an orphan (${whose(run, span)})`);
  if (!services.has(serviceOf(span))) wrong.push(`${span.name}: from service ${serviceOf(span)}, which has no part`);
  return wrong;
}

function repeatedIds(spans: readonly ReceivedSpan[]): string[] {
  const groups = Map.groupBy(spans, (span) => span.spanId);
  return [...groups]
    .filter(([, group]) => group.length > 1)
    .map(([id, group]) => `${group.map((span) => span.name).join(", ")}: span id ${id} ${group.length} times`);
}

// Where a name came twice, the one of the service that it should be from.
function named({ byName, story }: Run, name: string): ReceivedSpan | undefined {
  const spans = byName.get(name) ?? [];
  return spans.find((span) => serviceOf(span) === story.get(name)) ?? spans[0];
}

function whose(run: Run, span: ReceivedSpan): string {
  if (span.parentSpanId === undefined) return "it has no parent";
  const parent = run.byId.get(span.parentSpanId);
  if (parent === undefined) return `its parent ${span.parentSpanId} was not received`;
  const { story } = run;
  const service = serviceOf(parent);
  if (isChild(span, parent) && story.has(parent.name) && story.get(parent.name) !== service)
    return `but of ${service}'s ${parent.name}`;
  return isChild(span, parent) ? `its parent is ${parent.name}` : `its parent ${parent.name} is in another trace`;
}

function parentOf(run: Run, span: ReceivedSpan): ReceivedSpan | undefined {
  const parent = run.byId.get(span.parentSpanId ?? "");
  return parent !== undefined && isChild(span, parent) ? parent : undefined;
}

function isChild(span: ReceivedSpan, parent: ReceivedSpan): boolean {
  return span.parentSpanId === parent.spanId && span.traceId === parent.traceId;
}

function serviceOf(span: ReceivedSpan): string {
  return String(span.resource["service.name"]);
}

const services: ReadonlySet<string> = new Set(Object.values(SERVICES));
