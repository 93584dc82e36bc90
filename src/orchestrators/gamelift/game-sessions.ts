import { context, trace, type SpanContext } from "@opentelemetry/api";
import { ATTRIBUTES, ERROR_TYPES, SPANS } from "../../conventions.ts";
import { now } from "../../internal/clock.ts";
import { seconds } from "../../internal/deadline.ts";
import { describe, warn } from "../../internal/report.ts";
import type { Failure } from "../../telling/step.ts";
import type { OrchestratorEvents } from "../orchestrator.ts";
import type { Fields, PushAction } from "./frames.ts";
import { carrierOf, readGameSession, type GameSession } from "./game-session.ts";
import { persist } from "./persist.ts";
import type { Timings } from "./timings.ts";

/** What changed in the running game session, and why. */
export interface GameSessionUpdate {
  readonly gameSession: GameSession;
  /** MATCHMAKING_DATA_UPDATED, BACKFILL_FAILED, BACKFILL_TIMED_OUT or BACKFILL_CANCELLED; empty where it is not said. */
  readonly reason: string;
  readonly backfillTicketId: string;
}

export interface GameSessionOptions {
  readonly activationTimeout: number;
  readonly onGameSession: ((gameSession: GameSession) => unknown) | undefined;
  readonly onUpdate: ((update: GameSessionUpdate) => unknown) | undefined;
}

/** What the service tells this process to play, and when to stop. */
export interface GameSessions {
  readonly current: GameSession | undefined;
  readonly terminationTime: number | undefined;
  begin(events: OrchestratorEvents, fleetId: string): void;
  /**
   * From now on the service may send a game session: its answer to ActivateServerProcess may come after it. False where the
   * end came before.
   */
  open(): boolean;
  /** It was answered. */
  ready(): void;
  /** False where the message is no good. */
  pushed(action: Exclude<PushAction, "RefreshConnection">, fields: Fields): boolean;
  /** What comes now comes too late. */
  end(): void;
}

export function createGameSessions(
  { activationTimeout, onGameSession, onUpdate }: GameSessionOptions,
  timings: Timings,
  activate: (gameSessionId: string) => Promise<unknown>,
): GameSessions {
  let events: OrchestratorEvents | undefined;
  let fleetId = "";
  let isOpen = false;
  let hasEnded = false;
  let readyAt: number | undefined;
  let current: GameSession | undefined;
  let terminationTime: number | undefined;

  function create(gameSession: GameSession): void {
    // A message may come over two sockets while the connection is refreshed.
    if (!isOpen || gameSession.GameSessionId === current?.GameSessionId) {
      return;
    }
    current = gameSession;
    const received = performance.now();
    events?.allocated({
      at: now(),
      past: false,
      // One process plays one game session.
      reused: false,
      readyAt,
      ...carrierOf(gameSession),
      staleAnnotations: {},
      attributes: { [ATTRIBUTES.gameliftSession.key]: gameSession.GameSessionId },
      prepare: async () => {
        const allocated = trace.getSpanContext(context.active());
        await onGameSession?.(gameSession);
        await becomeActive(gameSession, received, allocated);
      },
    });
  }

  /** The service ends a game session that is not active in time: it is told until then, or until it refuses. */
  async function becomeActive(
    { GameSessionId }: GameSession,
    received: number,
    parent: SpanContext | undefined,
  ): Promise<void> {
    if (!isOpen || current?.GameSessionId !== GameSessionId) {
      return;
    }
    const loaded = performance.now() - received;
    if (loaded > activationTimeout) {
      warn(
        "gamelift late",
        `the game session was loaded after ${seconds(loaded)}: GameLift ends those that are not active after ` +
          `${seconds(activationTimeout)} (GameSessionActivationTimeoutSeconds of the fleet)`,
      );
    }
    const start = now();
    let failure: Failure | undefined;
    try {
      await persist(() => activate(GameSessionId), timings.retry, received + activationTimeout);
    } catch (error) {
      failure = { type: ERROR_TYPES.orchestratorFailed, expected: false, message: describe(error) };
      throw error;
    } finally {
      const attributes = { [ATTRIBUTES.gameliftSession.key]: GameSessionId };
      events?.told({ span: SPANS.gameliftActivate, start, parent, attributes, failure });
    }
  }

  function update(fields: Fields): boolean {
    const { GameSession: session, UpdateReason: reason, BackfillTicketId: ticket } = fields;
    const gameSession = readGameSession(Object(session) as Fields, fleetId);
    if (!gameSession) {
      return false;
    }
    if (gameSession.GameSessionId !== current?.GameSessionId) {
      return true;
    }
    current = gameSession;
    run("onUpdate", () => onUpdate?.({ gameSession, reason: text(reason), backfillTicketId: text(ticket) }));
    return true;
  }

  function terminate({ TerminationTime: time }: Fields): boolean {
    if (time !== undefined && time !== null && typeof time !== "number") {
      return false;
    }
    // As in the official SDKs, one that is missing, null or 0 is none, and the process ends all the same.
    terminationTime = time || undefined;
    end();
    events?.drain();
    return true;
  }

  function end(): void {
    isOpen = false;
    hasEnded = true;
  }

  return {
    end,
    get current() {
      return current;
    },
    get terminationTime() {
      return terminationTime;
    },
    begin(to, fleet) {
      events = to;
      fleetId = fleet;
    },
    open: () => (isOpen = !hasEnded),
    ready: () => (readyAt = now()),
    pushed(action, fields) {
      if (action === "UpdateGameSession") {
        return update(fields);
      }
      if (action === "TerminateProcess") {
        return terminate(fields);
      }
      const gameSession = readGameSession(fields, fleetId);
      if (gameSession) {
        create(gameSession);
      }
      return gameSession !== undefined;
    },
  };
}

/** The game's callback: what it throws, or rejects with, is reported. */
function run(name: string, callback: () => unknown): void {
  (async () => callback())().catch((error: unknown) => warn(`gamelift ${name}`, `${name} failed: ${describe(error)}`));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
