import pc from "picocolors";
import { SERVICES } from "./expected-span.ts";
import { cut, duration } from "./format.ts";
import { serviceOf } from "./part.ts";
import type { ReceivedSpan } from "./receiver/spans.ts";
import type { DrawOptions } from "./tree.ts";

/**
 * A player's session in a line, from what each service told of it: where they were for how long, and how it ended.
 * @param player `player.id`
 */
export function drawSession(
  spans: readonly ReceivedSpan[],
  player: string,
  { width = 100, color = false }: DrawOptions = {},
): string {
  const paint = pc.createColors(color);
  const started = spans.find(({ name, attributes }) => name === STARTED && attributes["player.id"] === player);
  const id = started?.attributes["session.id"];
  if (id === undefined) return `${player}: no session was received`;
  const own = spans.filter(({ attributes }) => attributes["session.id"] === id);
  const services = new Set(own.map(serviceOf));
  const head = paint.bold(cut(`one session, told by ${[...services].toSorted().join(", ")}`, width));
  const indent = `  ${player} `;
  const lines = wrap([...stopsOf(own), endOf(own)], width - indent.length);
  return [head, ...lines.map((line, at) => (at === 0 ? paint.bold(indent) : " ".repeat(indent.length)) + line)].join(
    "\n",
  );
}

const STARTED = "session.started";
const PHASE = "session.phase.";
const RECONNECTING = "session.phase.reconnecting";
const PLAYED: ReadonlySet<string> = new Set(["session.phase.in_game", RECONNECTING]);

/** Where the player was, one after the other. A match is one stop, with the drop in it, and stands where it ended. */
function stopsOf(own: readonly ReceivedSpan[]): string[] {
  const phases = own.filter(({ name }) => name.startsWith(PHASE)).toSorted((a, b) => a.startMs - b.startMs);
  let match: unknown;
  const stops = Map.groupBy(phases, (span) => {
    match = span.attributes["session.match_number"] ?? match;
    return PLAYED.has(span.name) ? match : span;
  });
  return [...stops.values()].toSorted((a, b) => a.at(-1)!.endMs - b.at(-1)!.endMs).map(sayStop);
}

function sayStop(stop: readonly ReceivedSpan[]): string {
  const [first] = stop as [ReceivedSpan];
  const phase = first.name.slice(PHASE.length);
  const service = serviceOf(first);
  const isInLobby = phase === "matchmaking" && service !== SERVICES.login;
  const what = isInLobby ? service : (first.attributes["game.map"] ?? phase);
  const [whole, dropped] = [lengthOf(stop), lengthOf(stop.filter(({ name }) => name === RECONNECTING))];
  const took = whole < 1 ? "" : ` ${duration(whole)}`;
  return `${String(what)}${took}${dropped > 0 ? ` (dropped ${duration(dropped)})` : ""}`;
}

function endOf(own: readonly ReceivedSpan[]): string {
  const end = own.find(({ name }) => name === "session.lifecycle");
  if (end === undefined) return "no end was received";
  const matches = Number(end.attributes["session.matches_played"] ?? 0);
  const played = `${matches} match${matches === 1 ? "" : "es"}`;
  return `${String(end.attributes["session.end_reason"])}: ${played}, ${duration(lengthOf([end]))}`;
}

function lengthOf(spans: readonly ReceivedSpan[]): number {
  return spans.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
}

function wrap(stops: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const [at, stop] of stops.entries()) {
    const text = at < stops.length - 1 ? `${stop} ·` : stop;
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + text.length > width) lines.push(cut(text, width));
    else lines[lines.length - 1] = `${line} ${text}`;
  }
  return lines;
}
