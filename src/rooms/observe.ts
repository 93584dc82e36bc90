import { LABELS, METRICS, type MetricConvention } from "../conventions.ts";
import { now } from "../internal/clock.ts";
import type { Undo } from "../internal/patch.ts";
import { observeSessions } from "../sessions/player-session.ts";
import { createRegistry } from "../sessions/registry.ts";
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
  /** Ends every session that is open. */
  endAll(reason: string): void;
  /** Puts back the very same functions. */
  readonly undo: Undo;
}

/** Follows every room and every player from now on. */
export function observeRooms(parts: Omit<RoomsState, "registry" | "waiting">): Rooms {
  const state: RoomsState = {
    ...parts,
    registry: createRegistry(now),
    waiting: createWaitingSeats(now, (seat) => expireSeat(state, seat)),
  };
  const uninstall = installHooks(state);
  observeSessions(state.registry);
  return {
    endAll: (reason) => endAll(state, reason),
    undo() {
      observeSessions(undefined);
      uninstall();
    },
  };
}
