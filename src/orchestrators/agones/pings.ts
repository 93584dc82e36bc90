import { seconds } from "../../internal/deadline.ts";
import { describe, guard, warn } from "../../internal/report.ts";
import type { Contact } from "./contact.ts";
import type { HealthBudget } from "./game-server.ts";
import type { Sidecar } from "./sidecar.ts";

/** A sidecar may answer late; one that takes longer for a ping is away. */
const PING_MS = 5000;
const WHILE_AWAY_MS = 500;
/** Of a sidecar that hangs: the pings that it has been sent are taken when it goes on. */
const MAX_PENDING = 4;

export interface PingOptions {
  readonly sidecar: Sidecar;
  readonly contact: Contact;
  /** Milliseconds. */
  readonly interval: number;
  /** Undefined while no GameServer was seen, and where health is not checked. */
  budget(): HealthBudget | undefined;
}

export interface Pings {
  /** The pause is another one from now on: the sidecar went away, or the budget is known. */
  hurry(): void;
  stop(): void;
}

/** Pings at once and then in intervals, of at most half the Fleet's period. */
export function keepPinging({ sidecar, contact, interval, budget }: PingOptions): Pings {
  let pending = 0;
  let stopped = false;
  let due = 0;
  let timer: NodeJS.Timeout | undefined;

  function schedule(): void {
    clearTimeout(timer);
    const { period = Infinity } = budget() ?? {};
    const pause = Math.min(interval, period / 2, contact.away ? WHILE_AWAY_MS : Infinity);
    due = performance.now() + pause;
    timer = setTimeout(beat, pause).unref();
  }

  function beat(): void {
    warnOfBlock(performance.now() - due, budget());
    if (pending < MAX_PENDING) {
      void ping();
    }
    schedule();
  }

  async function ping(): Promise<void> {
    pending += 1;
    try {
      await sidecar.ping(PING_MS);
      guard("agones pings", () => stopped || contact.back("pings"));
    } catch (error) {
      guard("agones pings", () => stopped || contact.lost("pings", `a health ping failed: ${describe(error)}`));
    } finally {
      pending -= 1;
    }
  }

  void ping();
  schedule();
  return {
    hurry: () => stopped || schedule(),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** What keeps the event loop for so long would keep the server from its life a little longer. */
function warnOfBlock(late: number, budget: HealthBudget | undefined): void {
  if (budget && late > budget.total / 2) {
    warn(
      "agones blocked",
      `the event loop was blocked for ${seconds(late)}, and no health ping could leave: Agones calls this server Unhealthy ` +
        `after ${seconds(budget.total)} without one (${budget.origin}). Load maps in pieces or in a worker, or raise these.`,
    );
  }
}
