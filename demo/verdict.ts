import { playersOf } from "./cast.ts";
import { SERVICES } from "./expected-span.ts";
import type { Part } from "./expected.ts";
import { CLOCK_TOLERANCE, isChild, serviceOf, whose, wrongInPart, type Run } from "./part.ts";
import type { ReceivedSpan } from "./receiver/spans.ts";

/**
 * What is missing or wrong in one server's boot and its players' ways, a line each: the player where it is not the
 * first one, the span's name, what about it. Empty: all is whole. Expects the spans of exactly one run.
 */
export function verdict(spans: readonly ReceivedSpan[], cast: readonly Part[]): string[] {
  const run: Run = {
    byId: new Map(spans.map((span) => [span.spanId, span])),
    services: new Map(cast.flatMap(({ story }) => story.map(({ name, service }) => [name, service] as const))),
  };
  return [
    ...cast.flatMap((part) => wrongInPart(run, part.story, ownOf(part, cast, spans)).map(sayer(part, cast))),
    ...spans.flatMap((span) => [...wrongTimes(run, span), ...strayed(run, span)]),
    ...repeatedIds(spans),
  ];
}

// The first player has the boot and the disposal, and whatever else is nobody's: what fell out of a trace is missed there.
function ownOf({ player }: Part, [first, ...others]: readonly Part[], spans: readonly ReceivedSpan[]) {
  const players = playersOf(spans);
  if (player !== first?.player) return players.get(player) ?? [];
  const theirs = new Set(others.flatMap((other) => players.get(other.player) ?? []));
  return spans.filter((span) => !theirs.has(span));
}

function sayer({ player }: Part, [first]: readonly Part[]): (line: string) => string {
  return (line) => (player === first?.player ? line : `${player}: ${line}`);
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
  if (run.services.has(span.name)) return [];
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

function parentOf(run: Run, span: ReceivedSpan): ReceivedSpan | undefined {
  const parent = run.byId.get(span.parentSpanId ?? "");
  return parent !== undefined && isChild(span, parent) ? parent : undefined;
}

const services: ReadonlySet<string> = new Set(Object.values(SERVICES));
