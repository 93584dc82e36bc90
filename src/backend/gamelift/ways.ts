import type { AllocationRequest } from "../provider.ts";
import { CANCELLED, FAILED, NONE_READY, Unclear, unlessUnknown, type Verdict } from "./answer.ts";
import type { Call, GameSession } from "./api.ts";
import type { ResolvedGameLiftProvider, Source } from "./options.ts";
import type { GameProperty } from "./properties.ts";

/** A game session, or its placement, as an answer showed it. */
export interface Seen {
  readonly id: string;
  readonly status: string;
  /** `"failed"` with a verdict. */
  readonly state: "waiting" | "ready" | Verdict;
  readonly session: GameSession;
}

/** A start that is asked for: repeated with the same words, because AWS refuses other words for the same token. */
export interface Start {
  /** The token, or the id of the placement. */
  readonly token: string;
  readonly input: object;
}

/** How game sessions are started: on a fleet, or by a queue. */
export interface Way {
  /** What can be looked up, or abandoned, without an answer. */
  readonly idIsOurs: boolean;
  start(token: string, request: AllocationRequest, properties: readonly GameProperty[]): Start;
  /** @param repeated whether the same start was asked for before, with no answer */
  ask(start: Start, call: Call, repeated: boolean): Promise<Seen>;
  /** Undefined for one that AWS does not show yet. */
  look(id: string, call: Call): Promise<Seen | undefined>;
  /** Stops what nobody waits for any more. */
  abandon(id: string, call: Call): Promise<unknown>;
}

export function wayOf({ source, maximumPlayers }: ResolvedGameLiftProvider): Way {
  const sized = (request: AllocationRequest, GameProperties: readonly GameProperty[]) => ({
    MaximumPlayerSessionCount: maximumPlayers ?? request.players,
    GameProperties,
  });
  return "queue" in source ? byQueue(source.queue, sized) : onFleet(source, sized);
}

type Sized = (request: AllocationRequest, properties: readonly GameProperty[]) => object;

function onFleet({ fleet, location }: Exclude<Source, { readonly queue: string }>, sized: Sized): Way {
  const seen = (session: GameSession = {}): Seen => {
    const { GameSessionId: id = "", Status: status = "" } = session;
    const state = status === "ACTIVE" ? addressed(session) : status === "ACTIVATING" ? "waiting" : FAILED;
    return { id, status, session, state };
  };
  return {
    idIsOurs: false,
    start(token, request, properties) {
      const { region, mode } = request;
      const Location = location({ region, mode });
      return { token, input: { ...fleet, Location, IdempotencyToken: token, ...sized(request, properties) } };
    },
    ask: async ({ input }, call) => seen((await call("CreateGameSession", input)).GameSession),
    async look(id, call) {
      const { GameSessions: [session] = [] } = await call("DescribeGameSessions", { GameSessionId: id });
      return session && seen(session);
    },
    abandon: terminate,
  };
}

const NOT_PLACED: Readonly<Record<string, Seen["state"]>> = {
  TIMED_OUT: NONE_READY,
  FAILED,
  CANCELLED,
};

function byQueue(queue: string, sized: Sized): Way {
  const seen = (id: string, session: GameSession = {}): Seen => {
    const { Status: status = "" } = session;
    if (status === "FULFILLED") {
      return { id, status, session, state: addressed(session) };
    }
    // What else a placement says of its game session is not final.
    return { id, status, session: {}, state: NOT_PLACED[status] ?? "waiting" };
  };
  async function look(id: string, call: Call): Promise<Seen | undefined> {
    const { GameSessionPlacement: placement } = await describePlacement(id, call);
    return placement && seen(id, placement);
  }
  /** No token makes these calls idempotent, and an id that is taken is an invalid request. */
  function begun(id: string, call: Call): Promise<Seen | undefined> {
    return look(id, call)
      .catch(unlessUnknown)
      .catch((cause: unknown) => {
        throw new Unclear("whether the placement was begun", { cause });
      });
  }
  return {
    idIsOurs: true,
    start: (token, request, properties) => ({
      token,
      input: { PlacementId: token, GameSessionQueueName: queue, ...sized(request, properties) },
    }),
    async ask({ token, input }, call, repeated) {
      const earlier = repeated ? await begun(token, call) : undefined;
      if (earlier) {
        return earlier;
      }
      try {
        return seen(token, (await call("StartGameSessionPlacement", input)).GameSessionPlacement);
      } catch (error) {
        const taken = mayBeTaken(error, repeated) ? await begun(token, call) : undefined;
        if (!taken) {
          throw error;
        }
        return taken;
      }
    },
    look,
    async abandon(id, call) {
      try {
        await call("StopGameSessionPlacement", { PlacementId: id });
      } catch {
        // AWS refuses it once there is a game session, which may have come since the last look.
        const { GameSessionPlacement: { GameSessionId } = {} } = await describePlacement(id, call);
        if (GameSessionId !== undefined) {
          await terminate(GameSessionId, call);
        }
      }
    },
  };
}

function describePlacement(id: string, call: Call) {
  return call("DescribeGameSessionPlacement", { PlacementId: id });
}

/** The gentle way: by the game's own shutdown. */
function terminate(id: string, call: Call): Promise<unknown> {
  return call("TerminateGameSession", { GameSessionId: id, TerminationMode: "TRIGGER_ON_PROCESS_TERMINATE" });
}

function addressed({ IpAddress, DnsName }: GameSession): "ready" | "waiting" {
  return IpAddress === undefined && DnsName === undefined ? "waiting" : "ready";
}

/** The AWS client by itself repeats a call that had no answer: what it then hears is the answer to the second. */
function mayBeTaken(error: unknown, repeated: boolean): boolean {
  const { name, $metadata } = error as { name?: unknown; $metadata?: { readonly attempts?: number } };
  return name === "InvalidRequestException" && (repeated || Number($metadata?.attempts) > 1);
}
