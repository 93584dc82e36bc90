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

  function tellAllocation({ at, past, late, reused, before = {} }: SeenAllocation, of: GameServer): void {
    allocations += 1;
    const traceparent = to.allocated({
      at,
      past,
      reused,
      readyAt: late ? undefined : readySince,
      annotations: annotationsOf(of),
      staleAnnotations: before,
      attributes: identity(of),
      prepare: onAllocated && (() => onAllocated(of)),
    });
    if (!late) {
      readySince = undefined;
    }
    handBack.set({ allocations: String(allocations), ...(traceparent && !late && { traceparent }) });
  }

  /** Ready once more after a match, or for the first time. */
  function noteReady(next: GameServer): void {
    const was = stateOf(gameServer);
    const isAgain = stateOf(next) === "Ready" && was !== "Ready";
    if (gameServer && (isAgain || (stateOf(next) === "Reserved" && !isReadyOrLater(gameServer)))) {
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
      to.identified(identity(next));
      const isLate = isOlder(next, gameServer);
      const seen = nextAllocation(next, isLate);
      if (seen) {
        tellAllocation(seen, next);
      }
      if (!isLate) {
        noteReady(next);
        gameServer = next;
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
