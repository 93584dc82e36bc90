import { LocalPresence, matchMaker } from "@colyseus/core";
import { LABELS, METRICS, type MetricConvention } from "../conventions.ts";
import { now } from "../internal/clock.ts";
import type { Undo } from "../internal/patch.ts";
import { observeSessions } from "../sessions/player-session.ts";
import { createLastSeen, type LastSeen } from "../sessions/last-seen.ts";
import { createLinger } from "../sessions/linger.ts";
import { createRegistry } from "../sessions/registry.ts";
import { cutLongPhases } from "../sessions/segments.ts";
import { tellEnd, type Session } from "../sessions/session.ts";
import { createWaitingSeats } from "../sessions/waiting-seats.ts";
import { createDistributions, createTally, type Reading } from "../telling/tally.ts";
import { endAll } from "./end-all.ts";
import { installHooks } from "./hooks.ts";
import { createTraffic } from "./messages.ts";
import type { RoomsState } from "./observer.ts";
import { expireSeat } from "./reserve.ts";

/** What is counted about rooms, before anything tells it. */
export type Counts = ReturnType<typeof createCounts>;

export function createCounts(messages: boolean) {
  return {
    rooms: createTally(),
    clients: createTally(),
    openByPhase: createTally(),
    ticks: createDistributions(METRICS.tickDuration),
    patches: createDistributions(METRICS.patchDuration),
    traffic: messages ? createTraffic() : undefined,
  };
}

export function readingsOf({ rooms, clients, openByPhase, ticks, patches, traffic }: Counts) {
  return new Map<MetricConvention, Reading>([
    [METRICS.rooms, rooms.reading(LABELS.room)],
    [METRICS.clients, clients.reading(LABELS.room)],
    [METRICS.sessions, openByPhase.reading(LABELS.phase)],
    [METRICS.tickDuration, ticks.reading(LABELS.room)],
    [METRICS.patchDuration, patches.reading(LABELS.room)],
    ...(traffic?.readings ?? []),
  ]);
}

export interface Rooms {
  /** From now on no session waits for its player to come back. Resolves when those that waited are told. */
  settle(): Promise<void>;
  /** Ends every session that is open. */
  endAll(reason: string): void;
  /** Puts back the very same functions. */
  readonly undo: Undo;
}

/** How sessions are told. */
export interface SessionRules extends Pick<RoomsState, "homeOf" | "endReasonOf" | "linked"> {
  /** Milliseconds. */
  readonly linger: number;
  readonly segment: number;
}

/** Follows every room and every player from now on. */
export function observeRooms(
  parts: Omit<RoomsState, "registry" | "waiting" | "serverId" | keyof SessionRules>,
  { homeOf, endReasonOf, linked, segment, linger: wait }: SessionRules,
): Rooms {
  const linger = createLinger<Session>({
    wait,
    now,
    lastSeen: sharedLastSeen(),
    tell: (session, summary) => tellEnd(parts, session, summary),
  });
  const state: RoomsState = {
    ...parts,
    homeOf,
    endReasonOf,
    linked,
    linger,
    serverId: () => matchMaker.processId,
    registry: createRegistry(now),
    waiting: createWaitingSeats(now, (seat) => expireSeat(state, seat)),
  };
  const uninstall = installHooks(state);
  const stopCutting = cutLongPhases(state, state.registry.open, segment, now);
  observeSessions(state);
  return {
    settle: () => linger.stop(),
    endAll: (reason) => endAll(state, reason),
    undo() {
      observeSessions(undefined);
      stopCutting();
      uninstall();
    },
  };
}

/** The presence that the processes share: any but core's own for one process. */
function sharedLastSeen(): () => LastSeen | undefined {
  let found: { readonly presence: unknown; readonly lastSeen: LastSeen | undefined } | undefined;
  return () => {
    const { presence, processId } = matchMaker;
    if (found?.presence !== presence) {
      const shared = presence && !(presence instanceof LocalPresence);
      found = { presence, lastSeen: shared ? createLastSeen(presence, processId) : undefined };
    }
    return found?.lastSeen;
  };
}
