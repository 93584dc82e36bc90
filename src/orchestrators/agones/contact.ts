/** What may be lost of a sidecar, each by itself. */
type Part = "pings" | "watch";

/** Whether the sidecar is there. */
export interface Contact {
  readonly away: boolean;
  /** How often a part was lost: more than once an outage, where it goes away again before all are back. */
  readonly losses: number;
  lost(part: Part, problem: string): void;
  back(part: Part): void;
}

/** Told once when the first part is lost, and once, without a problem, when all are back. */
export function createContact(onChange: (problem: string | undefined) => void): Contact {
  const lost = new Set<Part>();
  let losses = 0;
  return {
    get away() {
      return lost.size > 0;
    },
    get losses() {
      return losses;
    },
    lost(part, problem) {
      losses += 1;
      const isFirst = lost.size === 0;
      lost.add(part);
      if (isFirst) {
        onChange(problem);
      }
    },
    back(part) {
      if (lost.delete(part) && lost.size === 0) {
        onChange(undefined);
      }
    },
  };
}
