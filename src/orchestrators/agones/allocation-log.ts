import { now } from "../../internal/clock.ts";
import { annotationsOf, LAST_ALLOCATED, stateOf } from "./game-server.ts";
import type { GameServer } from "./sidecar.ts";

type Annotations = Readonly<Record<string, string>>;

export interface SeenAllocation {
  /** Epoch milliseconds, by the allocator's clock. */
  readonly at: number;
  /** The server had been allocated before. */
  readonly reused: boolean;
  /** It was over, or followed by another one, when it was seen. */
  readonly past: boolean;
  /** Something newer had been seen before. */
  readonly late: boolean;
  /** What the last allocation left behind: nothing ever takes an annotation away. */
  readonly before: Annotations | undefined;
}

const MAX_REMEMBERED = 1000;

/**
 * Tells the allocation that a GameServer shows for the first time: each one once, by `agones.dev/last-allocated`, whatever
 * the state is by now and however often and in which order the sidecar tells it. `sdk-server --local` does not write
 * the annotation: there each change to Allocated is one.
 */
export function createAllocationLog(): (gameServer: GameServer, isLate: boolean) => SeenAllocation | undefined {
  const known = new Set<string>();
  let looked = false;
  let wasAllocated = false;
  let oldest = Infinity;
  let before: Annotations | undefined;

  function isNew(stamp: string | undefined, isAllocated: boolean, isLate: boolean): boolean {
    if (stamp === undefined) {
      return isAllocated && !wasAllocated && !isLate;
    }
    if (known.has(stamp)) {
      return false;
    }
    for (const first of known.size < MAX_REMEMBERED ? [] : known) {
      known.delete(first);
      break;
    }
    known.add(stamp);
    return true;
  }

  return (gameServer, isLate) => {
    const annotations = annotationsOf(gameServer);
    const { [LAST_ALLOCATED]: stamp } = annotations;
    const isAllocated = stateOf(gameServer) === "Allocated";
    const found = isNew(stamp, isAllocated, isLate);
    // A process that begins in a server with a past was not there for it, but is for the allocation that still lasts.
    const counts = found && (looked || isAllocated);
    const at = allocatedAt(stamp);
    // Allocators' clocks differ: only where the order of messages says nothing, the stamps do.
    const reused = oldest < (isLate ? at : Infinity);
    // What a late one shows may be an earlier one's, of which nobody knows any more.
    const seen = { at, late: isLate, past: isLate || !isAllocated, reused, before: isLate ? annotations : before };
    oldest = found ? Math.min(oldest, at) : oldest;
    if (!isLate) {
      wasAllocated = isAllocated;
      before = found || !looked ? annotations : before;
    }
    looked = true;
    return counts ? seen : undefined;
  };
}

function allocatedAt(stamp: string | undefined): number {
  const at = Date.parse(stamp ?? "");
  return Number.isNaN(at) ? now() : at;
}
