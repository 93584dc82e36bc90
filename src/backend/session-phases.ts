import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES, SPANS } from "../conventions.ts";
import { checkOneOf } from "../internal/check.ts";
import { now } from "../internal/clock.ts";
import { endedBy, phaseStep, type SessionFacts } from "../sessions/steps.ts";
import type { Teller } from "../telling/step.ts";

export type BackendPhaseName = "matchmaking";

/** A phase that has begun. Not a span: it is told at its end. */
export interface BackendPhase {
  /** Tells the phase, once. `waitSeconds` is by default how long it took; `lobbyId` is where the player was matched into. */
  end(result?: { readonly waitSeconds?: number; readonly lobbyId?: string }): void;
}

export interface Phases {
  begin(name: BackendPhaseName, attributes?: Attributes): BackendPhase;
  /** Tells what is open as cut short; nothing begins any more. `at` is epoch milliseconds. */
  close(reason: string, at: number): void;
  readonly closed: boolean;
  /** The phase that began last: `login` before any other. */
  readonly last: string;
}

export function createPhases(teller: Teller, session: SessionFacts): Phases {
  const open = new Set<(at: number, ending: Attributes) => void>();
  let closed = false;
  let last = "login";
  return {
    begin(name, attributes = {}) {
      const phase = checkOneOf("phase", name, ["matchmaking"]);
      last = closed ? last : phase;
      const since = now();
      const tell = (at: number, ending: Attributes) => {
        if (open.delete(tell)) {
          teller.note({ note: "phase", phase: "matchmaking", seconds: Math.max(0, at - since) / 1000 });
          const fields = { start: since, attributes: { ...attributes, ...ending } };
          teller.close(phaseStep(SPANS.phaseMatchmaking, session, fields), at);
        }
      };
      if (!closed) {
        open.add(tell);
      }
      return {
        end({ waitSeconds, lobbyId } = {}) {
          const at = now();
          tell(at, {
            [ATTRIBUTES.waitSeconds.key]: waitSeconds ?? Math.max(0, at - since) / 1000,
            ...(lobbyId !== undefined && { [ATTRIBUTES.lobbyId.key]: lobbyId }),
          });
        },
      };
    },
    close(reason, at) {
      closed = true;
      for (const tell of open) {
        tell(at, { [ATTRIBUTES.phaseEndedBy.key]: endedBy(reason) });
      }
    },
    get closed() {
      return closed;
    },
    get last() {
      return last;
    },
  };
}
