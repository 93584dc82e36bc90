import { now } from "../../internal/clock.ts";
import type { OrchestratorEvents } from "../orchestrator.ts";
import { createAllocationLog, type SeenAllocation } from "./allocation-log.ts";
import { annotationsOf, identity, isOlder, isReadyOrLater, isTerminal, stateOf } from "./game-server.ts";
import type { HandBack } from "./hand-back.ts";
import type { GameServer } from "./sidecar.ts";

export interface StandingParts {
  readonly to: OrchestratorEvents;
  readonly handBack: HandBack;
  readonly onAllocated: ((gameServer: GameServer) => unknown) | undefined;
}

/** How this server stands with Agones, by what was seen of its GameServer. */
export interface Standing {
  /** The newest that was seen. */
  readonly gameServer: GameServer | undefined;
  see(gameServer: GameServer): void;
  /** It shows Ready after this process has asked for it. */
  ready(): void;
  /** The sidecar does not answer, and why; undefined: it does again. */
  away(problem: string | undefined): void;
}

export function createStanding({ to, handBack, onAllocated }: StandingParts): Standing {
  const nextAllocation = createAllocationLog();
  let gameServer: GameServer | undefined;
  let readySince: number | undefined;
  let allocations = 0;
  let sidecarAway: string | undefined;

  function tellAllocation(seen: SeenAllocation, of: GameServer): void {
    allocations += 1;
    const traceparent = to.allocated({
      at: seen.at,
      past: seen.past,
      reused: seen.reused,
      readyAt: readySince,
      annotations: annotationsOf(of),
      staleAnnotations: seen.before ?? {},
      attributes: identity(of),
      prepare: onAllocated && (() => onAllocated(of)),
    });
    readySince = undefined;
    handBack.set({ allocations: String(allocations), ...(traceparent && { traceparent }) });
  }

  /** Ready once more after a match, or for the first time. */
  function noteReady(next: GameServer): void {
    const was = stateOf(gameServer);
    const isAgain = stateOf(next) === "Ready" && was !== "Ready";
    if (gameServer && (isAgain || (isReadyOrLater(next) && !isReadyOrLater(gameServer)))) {
      readySince = now();
    }
    if (isAgain) {
      to.released();
    }
  }

  function tellTrouble(): void {
    const state = stateOf(gameServer);
    const lost = gameServer && isTerminal(gameServer) ? `Agones moved this GameServer to ${state}` : undefined;
    to.trouble(lost ?? sidecarAway);
  }

  return {
    get gameServer() {
      return gameServer;
    },
    see(next) {
      const isLate = isOlder(next, gameServer);
      if (!isLate) {
        to.identified(identity(next));
        noteReady(next);
        gameServer = next;
      }
      const seen = nextAllocation(next);
      if (seen) {
        tellAllocation(isLate ? { ...seen, past: true } : seen, next);
      }
      if (!isLate) {
        tellTrouble();
      }
    },
    ready() {
      readySince = stateOf(gameServer) === "Ready" ? (readySince ?? now()) : readySince;
      const traceparent = to.traceparent();
      if (traceparent && allocations === 0) {
        handBack.set({ traceparent });
      }
    },
    away(problem) {
      sidecarAway = problem;
      tellTrouble();
    },
  };
}
