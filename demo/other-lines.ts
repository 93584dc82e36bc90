import pc from "picocolors";
import { cut, duration, fit, shortId } from "./format.ts";
import type { ReceivedSpan } from "./receiver/spans.ts";
import type { DrawOptions } from "./tree.ts";

/** A line for each player: trace, how it came out in the plugin's own words, and what took how long. */
export function drawOthers(
  players: ReadonlyMap<string, readonly ReceivedSpan[]>,
  { width = 100, color = false }: DrawOptions = {},
): string {
  const paint = pc.createColors(color);
  const name = Math.max(0, ...[...players.keys()].map((player) => player.length));
  const lines = [...players].map(([player, own]) => {
    const { said, graceful } = outcomeOf(own);
    const who = `  ${player.padEnd(name)} ${shortId(own[0]?.traceId ?? "")}`;
    const steps = lastOf(stepsOf(own), width - who.length - OUTCOME - 2);
    return `${paint.bold(who)} ${(graceful ? paint.green : paint.yellow)(fit(said, OUTCOME))} ${steps}`.trimEnd();
  });
  return [paint.bold("the others: trace, how it came out, what took how long"), ...lines].join("\n");
}

const OUTCOME = 28;

function outcomeOf(own: readonly ReceivedSpan[]): { readonly said: string; readonly graceful: boolean } {
  const attribute = (name: string, key: string) => own.findLast((span) => span.name.startsWith(name))?.attributes[key];
  const reason = attribute("session.lifecycle", "session.end_reason");
  const type = attribute("session.lifecycle", "session.end_type");
  if (reason !== undefined) return { said: `${String(reason)} (${String(type)})`, graceful: type === "graceful" };
  const refused = attribute("matchmake ", "error.type");
  return { said: refused === undefined ? "no end was received" : `refused: ${String(refused)}`, graceful: false };
}

/** The phases that took a millisecond; for those who never got so far, the request. */
function stepsOf(own: readonly ReceivedSpan[]): string[] {
  const phases = own.filter(
    (span) => span.name.startsWith(PHASE) && span.endMs - span.startMs >= 1 && !isOnTheWayIn(span),
  );
  const got = own.some(({ name }) => name.startsWith("room.join "));
  const requests = got ? [] : own.filter(({ name }) => name.startsWith("matchmake "));
  return [...phases, ...requests].map(({ name, startMs, endMs }) => {
    const [word = name] = name.replace(PHASE, "").split(" ");
    return `${word} ${duration(endMs - startMs)}`;
  });
}

/** The room's own phase, up to the moment at which its onJoin names another. */
function isOnTheWayIn({ name, attributes }: ReceivedSpan): boolean {
  return name === "session.phase.in_game" && attributes["phase.ended_by"] === "phase";
}

/** How it ended is at the end: what does not fit is left out at the front. */
function lastOf(steps: readonly string[], width: number): string {
  const text = steps.join(", ");
  return text.length <= width || steps.length < 2 ? cut(text, width) : lastOf(steps.slice(1), width);
}

const PHASE = "session.phase.";
