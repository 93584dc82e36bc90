import { now } from "../internal/clock.ts";
import { leavePhase } from "../sessions/phases.ts";
import { leaveSession } from "../sessions/session.ts";
import { endedBy } from "../sessions/steps.ts";
import type { RoomsState } from "./observer.ts";

/** Ends every session that is open, though its player may still be there. */
export function endAll(observer: RoomsState, reason: string): void {
  const { registry, waiting } = observer;
  const at = now();
  for (const connection of registry.open) {
    const { session, phase, left } = connection;
    leavePhase(observer, connection, endedBy(reason), at);
    leaveSession(observer, session, { reason: connection.reason ?? reason, phase: phase?.name, code: left?.code, at });
  }
  registry.open.clear();
  registry.queued.clear();
  for (const { session } of waiting.clear()) {
    if (session) {
      leaveSession(observer, session);
    }
  }
}
