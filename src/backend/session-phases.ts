import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES } from "../conventions.ts";
import { checkOneOf } from "../internal/check.ts";
import { now } from "../internal/clock.ts";
import {
  endedBy,
  GAME_PHASES,
  MAX_EVENTS,
  PHASE_SPANS,
  phaseStep,
  type GamePhase,
  type SessionFacts,
} from "../sessions/steps.ts";
import type { StepEvent, Teller } from "../telling/step.ts";

export type BackendPhaseName = GamePhase;

/** A phase that has begun. Not a span: it is told at its end. */
export interface BackendPhase {
  /** A moment of the phase: an event on its span, of at most 128. */
  event(name: string, attributes?: Attributes): void;
  /** Tells the phase, once. */
  end(result?: BackendPhaseResult): void;
}

export interface BackendPhaseResult {
  /** How long the player waited for a match; by default how long the phase took. */
  readonly waitSeconds?: number;
  /** Where the player was matched into. */
  readonly lobbyId?: string;
  /** How the match was, as `"won"`. */
  readonly result?: string;
  readonly score?: number;
  /** What else is known now, as `"loading.assets_count"`. */
  readonly attributes?: Attributes;
}

export interface Phases {
  begin(name: BackendPhaseName, attributes?: Attributes): BackendPhase;
  /** Tells what is open as cut short; nothing begins any more. `at` is epoch milliseconds. */
  close(reason: string, at: number): void;
  readonly closed: boolean;
  /** The phase that began last: `login` before any other. */
  readonly last: string;
  /** How many were in_game; undefined where the service tells none. */
  readonly matches: number | undefined;
}

export function createPhases(teller: Teller, session: SessionFacts): Phases {
  const open = new Set<(at: number, ending: Attributes) => void>();
  let closed = false;
  let last = "login";
  let matches: number | undefined;

  function begin(name: BackendPhaseName, given: Attributes = {}): BackendPhase {
    const phase = checkOneOf("phase", name, GAME_PHASES);
    const since = now();
    const attributes = { ...given };
    const events: StepEvent[] = [];
    const tell = (at: number, ending: Attributes) => {
      if (open.delete(tell)) {
        teller.note({ note: "phase", phase, seconds: Math.max(0, at - since) / 1000 });
        const fields = { start: since, attributes: { ...attributes, ...ending }, events };
        teller.close(phaseStep(PHASE_SPANS[phase], session, fields), at);
      }
    };
    if (!closed) {
      open.add(tell);
      last = phase;
      if (phase === "in_game") {
        matches = (matches ?? 0) + 1;
        attributes[ATTRIBUTES.matchNumber.key] ??= matches;
      }
    }
    return {
      event(name, attributes = {}) {
        if (events.length < MAX_EVENTS) {
          events.push({ name, at: now(), attributes: { ...attributes } });
        }
      },
      end(result = {}) {
        const at = now();
        const waited = phase === "matchmaking" ? Math.max(0, at - since) / 1000 : undefined;
        tell(at, endingOf(result, waited));
      },
    };
  }

  return {
    begin,
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
    get matches() {
      return matches;
    },
  };
}

function endingOf(
  { waitSeconds, lobbyId, result, score, attributes }: BackendPhaseResult,
  waited?: number,
): Attributes {
  const said = {
    [ATTRIBUTES.waitSeconds.key]: waitSeconds ?? waited,
    [ATTRIBUTES.lobbyId.key]: lobbyId,
    [ATTRIBUTES.gameResult.key]: result,
    [ATTRIBUTES.gameScore.key]: score,
  };
  return { ...attributes, ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) };
}
