import {
  checkCount,
  checkDuration,
  checkKeys,
  checkObjects,
  checkShape,
  checkString,
  checkStringMap,
  optional,
  show,
} from "../internal/check.ts";
import { now } from "../internal/clock.ts";
import { placeOf, type Place, type TraceCarrier } from "./place.ts";
import { coreOf, type AllocationRequest, type Provider, type ProviderCore } from "./provider.ts";

/** What `allocate()` takes. */
export interface AllocateOptions {
  /** Where the server comes from: `agones()` or `gamelift()` of `colyseus-otel/backend`. */
  readonly provider: Provider;
  /** Attribute and label of the metrics, of which the first 12 keep their names. Selects no server by itself. */
  readonly region?: string;
  /** Attribute and label of the metrics, of which the first 12 keep their names. Selects no server by itself. */
  readonly mode?: string;
  /**
   * How many players the match has, or their trace contexts. A single player's context is the parent; those of several
   * are links on a trace of its own.
   *
   * @default the active span is the parent
   */
  readonly players?: number | readonly TraceCarrier[];
  /**
   * Milliseconds for all of it: calls, and the pauses while no server is Ready. A pause that would pass it is not begun.
   *
   * @default 30000
   */
  readonly deadline?: number;
  /** Ends the wait at once. A call that is under way may still allocate a server. */
  readonly signal?: AbortSignal;
  /** For the allocated server, beside those that it has. Values of at most 63 characters of [A-Za-z0-9-_.]. Not for GameLift. */
  readonly labels?: Readonly<Record<string, string>>;
  /** For the allocated server, beside those that it has: what the match is. On GameLift they are its GameProperties. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Spans that have to do with this match: the ticket, the queue. */
  readonly links?: readonly TraceCarrier[];
}

export interface ResolvedAllocation {
  readonly core: ProviderCore;
  readonly provider: Provider;
  readonly request: AllocationRequest;
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  readonly place: Place;
}

const KNOWN = [
  "provider",
  "region",
  "mode",
  "players",
  "deadline",
  "signal",
  "labels",
  "annotations",
  "links",
] as const satisfies (keyof AllocateOptions)[];

/** Defaults in, errors out. Throws TypeError for an unknown option, or a value of the wrong kind. */
export function resolveAllocation(options: AllocateOptions): ResolvedAllocation {
  checkKeys("allocate", options, KNOWN);
  const {
    provider,
    region,
    mode,
    players,
    deadline = 30_000,
    signal,
    labels = {},
    annotations = {},
    links = [],
  } = options;
  const core = coreOf(provider);
  if (!core) {
    throw new TypeError(
      `allocate.provider must be what agones() or gamelift() of colyseus-otel/backend returned, got ${show(provider)}`,
    );
  }
  const carriers = Array.isArray(players)
    ? checkObjects("allocate.players", players as readonly TraceCarrier[])
    : undefined;
  const request = {
    requestedAt: now(),
    region: optional(region, (given) => checkString("allocate.region", given)),
    mode: optional(mode, (given) => checkString("allocate.mode", given)),
    players:
      carriers?.length ?? optional(players as number | undefined, (given) => checkCount("allocate.players", given)),
    labels: checkStringMap("allocate.labels", labels),
    annotations: checkStringMap("allocate.annotations", annotations),
  };
  core.check?.(request);
  return {
    core,
    provider,
    request,
    deadline: checkDuration("allocate.deadline", deadline),
    signal: optional(signal, (given) =>
      checkShape<AbortSignal>("allocate.signal", given, ["addEventListener", "removeEventListener"]),
    ),
    place: placeOf(carriers ?? [], checkObjects("allocate.links", links)),
  };
}
