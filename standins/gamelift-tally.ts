/** How provisionings came out, as the service sees them: kept without a look at who asks. */
export interface GameLiftTally {
  /** A game session was shown to be ready. */
  readonly success: number;
  /** Of these: no process was free when it was first asked for. */
  readonly cold: number;
  readonly warm: number;
  /** The last word: no process, not active yet, or the placement timed out. */
  readonly ready_timeout: number;
  readonly contention: number;
  readonly quota: number;
  readonly allocation_failed: number;
  /** Nothing was ever answered, or the last call was not. */
  readonly unanswered: number;
}

export interface Ledger {
  /** @param body undefined where the answer does not arrive */
  answered(asked: Asked, body: object | undefined): void;
  /** @param type of the error, undefined where nothing arrives */
  refused(asked: Asked, type: string | undefined): void;
  tally(): GameLiftTally;
}

interface Asked {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

type Outcome = Exclude<keyof GameLiftTally, "cold" | "warm">;

const BY_ERROR: Readonly<Record<string, Outcome>> = {
  FleetCapacityExceededException: "ready_timeout",
  ConflictException: "contention",
  LimitExceededException: "quota",
  ThrottlingException: "quota",
};
const BY_STATUS: Readonly<Record<string, Outcome>> = {
  ACTIVE: "success",
  FULFILLED: "success",
  ACTIVATING: "ready_timeout",
  PENDING: "ready_timeout",
  TIMED_OUT: "ready_timeout",
};

/** What they answer nobody waits for. */
const FAREWELLS = ["TerminateGameSession", "StopGameSessionPlacement"];

export function createLedger(): Ledger {
  const lastWord = new Map<string, Outcome>();
  const cold = new Set<string>();
  /** Which provisioning a game session or placement is of. */
  const matches = new Map<string, string>();

  return {
    answered({ operation, input }, body) {
      const shown = shownIn(body);
      const match = matchOf(input) ?? matches.get(idIn(input));
      if (match === undefined || FAREWELLS.includes(operation)) {
        return;
      }
      matches.set(shown?.id ?? idIn(input), match);
      if (lastWord.get(match) !== "success") {
        lastWord.set(match, shown ? (BY_STATUS[shown.status] ?? "allocation_failed") : "unanswered");
      }
    },
    refused({ input }, type) {
      const match = matchOf(input);
      if (match === undefined) {
        return;
      }
      if (type === "FleetCapacityExceededException") {
        cold.add(match);
      }
      lastWord.set(match, type === undefined ? "unanswered" : (BY_ERROR[type] ?? "allocation_failed"));
    },
    tally: () => tallyOf(lastWord, cold),
  };
}

function tallyOf(lastWord: ReadonlyMap<string, Outcome>, cold: ReadonlySet<string>): GameLiftTally {
  const had = [...lastWord].filter(([, word]) => word === "success").map(([match]) => match);
  const count = (outcome: Outcome) => [...lastWord.values()].filter((word) => word === outcome).length;
  return {
    success: had.length,
    cold: had.filter((match) => cold.has(match)).length,
    warm: had.filter((match) => !cold.has(match)).length,
    ready_timeout: count("ready_timeout"),
    contention: count("contention"),
    quota: count("quota"),
    allocation_failed: count("allocation_failed"),
    unanswered: count("unanswered"),
  };
}

function matchOf({ GameProperties = [] }: Asked["input"]): string | undefined {
  return (GameProperties as readonly { readonly Key: string; readonly Value: string }[]).find(
    ({ Key }) => Key === "match",
  )?.Value;
}

function idIn({ GameSessionId, PlacementId }: Asked["input"]): string {
  return ((PlacementId ?? GameSessionId) as string | undefined) ?? "";
}

function shownIn(body: object = {}): { readonly id: string; readonly status: string } | undefined {
  const { GameSession, GameSessions, GameSessionPlacement } = body as Record<string, unknown>;
  const one = GameSession ?? (GameSessions as unknown[] | undefined)?.[0] ?? GameSessionPlacement;
  const { Status, ...ids } = (one ?? {}) as { readonly Status?: string };
  return Status === undefined ? undefined : { id: idIn(ids), status: Status };
}
