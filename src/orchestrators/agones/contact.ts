import { seconds } from "../../internal/deadline.ts";
import { warn } from "../../internal/report.ts";

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

/** A sidecar that comes and goes four times a second must not fill the disk. */
const MAX_TOLD_A_MINUTE = 60;
let outages = 0;

/** One line an outage. */
export function warnOfOutage(what: string, budget: number | undefined): void {
  const end =
    budget === undefined ? "" : ` Agones calls this server Unhealthy after ${seconds(budget)} without a ping.`;
  outages = (outages + 1) % MAX_TOLD_A_MINUTE;
  warn(`agones outage ${outages}`, `${what}. Pings and watch are tried until it is back; the game goes on.${end}`);
}
