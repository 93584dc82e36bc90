import { context, isSpanContextValid, trace, type Attributes, type SpanContext } from "@opentelemetry/api";
import { randomUUID } from "node:crypto";
import { SPANS } from "../conventions.ts";
import { now } from "../internal/clock.ts";
import { sessionCarrier, type SessionCarrier } from "../propagation/session-carrier.ts";
import { formatTraceparent } from "../propagation/traceparent.ts";
import { endedNote, lifecycleStep, phaseStep, startedStep, type SessionFacts } from "../sessions/steps.ts";
import { createPhases, type BackendPhase, type BackendPhaseName } from "./session-phases.ts";
import { resolveSession, type ResolvedSession, type StartSessionOptions } from "./session-options.ts";
import { sessionTeller, type SessionTeller } from "./session-teller.ts";

/** A player's session, as the service that logged the player in sees it. Holds no open span; forgetting it costs nothing. */
export interface BackendSession {
  /** `session.id` on every span of the session. */
  readonly id: string;
  readonly carrier: SessionCarrier;
  /** Of `session.started`, for what else belongs to the session; undefined while no SDK is registered. */
  readonly traceparent: string | undefined;
  /**
   * Begins a phase, told at its end: `matchmaking`, `loading` or `in_game`. `attributes` go on its span:
   * `{ "game.mode": "ctf" }`. What the game server tells by itself (in_game, and loading by `sessionOf()`) is for services
   * whose game servers do not run this plugin. After `end()` it tells nothing.
   */
  phase(name: BackendPhaseName, attributes?: Attributes): BackendPhase;
  /**
   * The player is gone. Ends the phases that are open; with `end: "service"` it tells `session.lifecycle`, once.
   *
   * `reason` is `session.end_reason` and a metric's label: of a small set (`logout`, `client_quit`, `timeout`,
   * `connection_lost`, `kicked`, `banned`, `crash`, or your own; after 32 different ones the label is `other`).
   *
   * @param reason default `"logout"`
   * @param summary `matchesPlayed`, where the service knows it; else how many phases were in_game
   */
  end(reason?: string, summary?: { readonly matchesPlayed?: number }): void;
}

/**
 * Begins a player's session at the login: tells `session.started` and `session.phase.login`, and gives the carrier that
 * goes to the client with the login's answer.
 *
 * @throws TypeError for an unknown option, or a value of the wrong kind
 */
export function startSession(options: StartSessionOptions): BackendSession {
  const resolved = resolveSession(options);
  const telling = sessionTeller(resolved.tracerProvider, resolved.meterProvider);
  const facts = tellLogin(resolved, telling);
  const { end, player, signing } = resolved;
  const token = { ...player, id: facts.id, start: facts.startedAt, leg: 0, matches: 0, end };
  return {
    id: facts.id,
    carrier: sessionCarrier(token, facts.root, signing),
    traceparent: facts.root && formatTraceparent(facts.root),
    ...createEnding(facts, resolved, telling),
  };
}

function tellLogin({ player, parent }: ResolvedSession, { teller, missSdk }: SessionTeller): SessionFacts {
  if (!teller.active) {
    missSdk();
  }
  // Whole, as the token has it: the game server dates back to the very same moment.
  const at = Math.floor(now());
  const facts = { id: randomUUID(), startedAt: at, player, locale: undefined };
  const started = startedStep(facts, trace.getSpanContext(parent ?? context.active()));
  teller.open(started);
  teller.close(started, at);
  const session = { ...facts, root: valid(started.spanContext) };
  teller.close(phaseStep(SPANS.phaseLogin, session, { start: at, attributes: {} }), at);
  return session;
}

function createEnding(
  facts: SessionFacts,
  { end }: ResolvedSession,
  { teller }: SessionTeller,
): Pick<BackendSession, "phase" | "end"> {
  const phases = createPhases(teller, facts);
  return {
    phase: phases.begin,
    end(reason = "logout", { matchesPlayed } = {}) {
      if (phases.closed) {
        return;
      }
      const at = now();
      phases.close(reason, at);
      if (end === "service") {
        const left = { reason, phase: phases.last, code: undefined, at };
        const matches = matchesPlayed ?? phases.matches;
        teller.note(endedNote(facts, left, matches, true));
        teller.close(lifecycleStep(facts, left, { matches }), at);
      }
    },
  };
}

/** A provider that records nothing hands out ids of zeros. */
function valid(spanContext: SpanContext | undefined): SpanContext | undefined {
  return spanContext && isSpanContextValid(spanContext) ? spanContext : undefined;
}
