import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import type { Undo } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import { cutPhase, type Stay } from "./phases.ts";
import { beginTrace, type Sessions } from "./session.ts";

/** Looks so many times a segment: a segment ends on time, and is told this much later at most. */
const LOOKS = 20;

/**
 * Tells phases that last longer than `length` (milliseconds) segment by segment: backends dislike spans of hours, and a
 * process that dies loses what is open. One timer for all.
 */
export function cutLongPhases(sessions: Sessions, open: Iterable<Stay>, length: number, now: () => number): Undo {
  const look = () => {
    for (const stay of open) {
      guard("segment", cutDue, sessions, stay, length, now());
    }
  };
  const timer = context.with(ROOT_CONTEXT, () => setInterval(look, length / LOOKS).unref());
  return () => clearInterval(timer);
}

function cutDue(sessions: Sessions, stay: Stay, length: number, until: number): void {
  const { phase, session } = stay;
  if (!phase) {
    return;
  }
  // Several, where the process stood still for longer than a segment.
  for (let at = (phase.segments?.since ?? phase.since) + length; at < until; at += length) {
    cutPhase(sessions, stay, phase, at);
    if (sessions.linked) {
      beginTrace(sessions, session, at);
    }
  }
}
