import type { Attributes } from "@opentelemetry/api";
import type { Client } from "@colyseus/core";
import { ATTRIBUTES } from "../conventions.ts";
import { checkKeys, checkOneOf, show } from "../internal/check.ts";
import { now } from "../internal/clock.ts";
import { guard } from "../internal/report.ts";
import type { Gate } from "../propagation/gate.ts";
import { sessionCarrier } from "../propagation/session-carrier.ts";
import type { TOKEN_KEY } from "../propagation/session-token.ts";
import { formatTraceparent } from "../propagation/traceparent.ts";
import { isReason, REASON } from "./end-reason.ts";
import { changePhase } from "./phases.ts";
import type { Connection, Registry } from "./registry.ts";
import type { Session, Sessions } from "./session.ts";
import { GAME_PHASES, MAX_EVENTS, type GamePhase } from "./steps.ts";

/** A player's session, as the game sees it. Without telemetry it has an id all the same, and says nothing. */
export interface PlayerSession {
  /** What support asks for: the token's id; without a token Colyseus' sessionId of its first join. */
  readonly id: string;
  /** Of `session.started`, for what else belongs to the session. */
  readonly traceparent: string | undefined;
  /**
   * What the client puts into its next join, so that it goes on in this session: send it in a message or a state of the
   * game's own (`colyseus-otel/client` copies it into the options). A session whose carrier was asked for waits
   * `session.linger` after its last room before its end is told.
   */
  carrier(): SessionCarrier;
  /**
   * A phase of the game's own, until its `end()`; the room's goes on then. `attributes` go on its span, as
   * `"loading.type"`. Of a player who is away it does nothing: that one is reconnecting, or gone.
   *
   * @throws TypeError for a name other than `loading`, `in_game` and `matchmaking`
   */
  phase(name: GamePhase, attributes?: Attributes): PlayerPhase;
  /** A moment of the phase: an event on its span, of at most 128. */
  event(name: string, attributes?: Attributes): void;
  /** What is played in this room: `session.match_number` (else counted), `game.map` and `game.mode` of its in_game phases. */
  match(match: { readonly number?: number; readonly map?: string; readonly mode?: string }): void;
  /** How it was: `game.result` and `game.score` of the phase. */
  result(result: { readonly result?: string; readonly score?: number }): void;
  /**
   * Names why this session ends, when the game knows better than the close code: `"kicked"`, `"banned"`, `"logout"`, or
   * a word of its own. Call it right before `client.leave()`: the session ends with the connection, and
   * `session.end_reason` is this word.
   *
   * @throws TypeError when `reason` is no string of 1 to 64 characters
   */
  end(reason: string): void;
}

export interface PlayerPhase {
  /** Ends the phase, where it still goes on. `attributes` are what is known now, as `"loading.assets_count"`. */
  end(attributes?: Attributes): void;
}

export type SessionCarrier = Readonly<{ traceparent?: string; tracestate?: string; [TOKEN_KEY]?: string }>;

interface Observed extends Sessions {
  readonly registry: Registry;
  readonly gate: Pick<Gate, "signing">;
}

let observed: Observed | undefined;

/** From now on sessions are found here; with undefined nowhere. */
export function observeSessions(next: Observed | undefined): void {
  observed = next;
}

/** The session of a player in one of the game's rooms: in any hook that has the client, and in message handlers. */
export function sessionOf(client: Client): PlayerSession {
  const connection = observed?.registry.byClient.get(client);
  const session = connection?.session;
  return {
    id: session?.id ?? client.sessionId,
    traceparent: session?.root && formatTraceparent(session.root),
    carrier: () => (session && guard("carrier", carrierOf, session)) ?? {},
    phase: (name, attributes) => {
      checkOneOf("sessionOf().phase", name, GAME_PHASES);
      return beginPhase(connection, name, attributes);
    },
    event(name, attributes = {}) {
      const at = now();
      say(connection, ({ phase }) => {
        const events = phase && (phase.events ??= []);
        if (events && events.length < MAX_EVENTS) {
          events.push({ name, at, attributes: { ...attributes } });
        }
      });
    },
    match(match) {
      checkKeys("sessionOf().match", match, ["number", "map", "mode"]);
      if (connection) {
        connection.match = given({
          [ATTRIBUTES.matchNumber.key]: match.number,
          [ATTRIBUTES.gameMap.key]: match.map,
          [ATTRIBUTES.gameMode.key]: match.mode,
        });
      }
    },
    result(result) {
      checkKeys("sessionOf().result", result, ["result", "score"]);
      const attributes = given({
        [ATTRIBUTES.gameResult.key]: result.result,
        [ATTRIBUTES.gameScore.key]: result.score,
      });
      say(connection, ({ phase }) => {
        if (phase) {
          phase.attributes = { ...phase.attributes, ...attributes };
        }
      });
    },
    end(reason) {
      if (!isReason(reason)) {
        throw new TypeError(`sessionOf().end: reason must be ${REASON}, got ${show(reason)}`);
      }
      if (connection) {
        connection.reason = reason;
      }
    },
  };
}

function carrierOf(session: Session): SessionCarrier {
  const { id, startedAt, leg, matches, end, player, root } = session;
  if (!session.portable && !session.ended) {
    observed?.linger.begin(session, matches);
  }
  const { playerId, authMethod, clientVersion, platform } = player ?? {};
  const token = { id, start: startedAt, leg, matches, end, playerId, authMethod, clientVersion, platform };
  return sessionCarrier(token, root, observed?.gate.signing);
}

function beginPhase(connection: Connection | undefined, name: GamePhase, attributes?: Attributes): PlayerPhase {
  const at = now();
  let begun: Connection["phase"];
  say(connection, (stay, sessions) => {
    // Who is away is reconnecting, or gone.
    begun = stay.left
      ? undefined
      : changePhase(sessions, stay, name, { at, endedBy: "phase", attributes: { ...attributes } });
  });
  return {
    end(ending) {
      const ended = now();
      say(connection, (stay, sessions) => {
        if (begun && stay.phase === begun) {
          begun.attributes = { ...begun.attributes, ...ending };
          if (!stay.left) {
            changePhase(sessions, stay, stay.home, { at: ended, endedBy: "phase" });
          }
        }
      });
    },
  };
}

function given(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

/** At once for a player who is in; for one on the way in, or back, when the join is confirmed. */
function say(connection: Connection | undefined, what: (stay: Connection, sessions: Observed) => void): void {
  const sessions = observed;
  if (!connection || !sessions) {
    return;
  }
  const told = () => {
    guard("session", what, connection, sessions);
  };
  if (connection.joining && (!connection.phase || connection.left)) {
    const early = (connection.early ??= []);
    // An onJoin that never returns, beside a game loop that tells events, keeps no more.
    if (early.length < MAX_EVENTS) {
      early.push(told);
    }
  } else if (connection.phase) {
    told();
  }
}
