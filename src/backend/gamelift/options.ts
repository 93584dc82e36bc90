import type { MeterProvider, TracerProvider } from "@opentelemetry/api";
import { checkCount, checkDuration, checkKeys, checkShape, checkString, optional, show } from "../../internal/check.ts";
import type { Wanted } from "../provider.ts";
import type { GameLiftSender } from "./api.ts";
import { checkProperties } from "./properties.ts";

/** How often it is looked whether a game session is active. Milliseconds; a half of each pause is left to chance. */
export interface GameLiftPoll {
  /** @default 2000 */
  readonly first?: number;
  /** Each pause is half as long again as the one before, until this. @default 10000 */
  readonly longest?: number;
}

/** What `gamelift()` of `colyseus-otel/backend` takes. Exactly one of `fleetId`, `aliasId` and `queue`. */
export interface GameLiftProviderOptions {
  /**
   * Your `GameLiftClient` of `@aws-sdk/client-gamelift`, with its region, credentials, retries and time-outs. Without
   * `requestHandler: { requestTimeout, throwOnRequestTimeout: true }` a call that is never answered takes all of the
   * deadline. It is yours to destroy.
   */
  readonly client: GameLiftSender;
  /** Id or ARN of the fleet. */
  readonly fleetId?: string;
  /** Id or ARN of an alias of the fleet. */
  readonly aliasId?: string;
  /** Name or ARN of a game session queue, which chooses the fleet. */
  readonly queue?: string;
  /**
   * Remote or custom location of the fleet, or a function that says so for each match. Not beside `queue`.
   *
   * @default the fleet's home region; an Anywhere fleet needs one
   */
  readonly location?: string | ((wanted: Wanted) => string | undefined);
  /** Players that a game session has room for. @default `players` of the allocation */
  readonly maximumPlayers?: number;
  /** GameProperties of every game session: keys of at most 32 characters, values of at most 96, 16 in all with ours. */
  readonly properties?: Readonly<Record<string, string>>;
  /**
   * Ids of placements (or game sessions) that have news, as they come by SNS or EventBridge (`detail.placementId`). Each
   * is looked up once, at once; polls are then for news that were lost, one in 30 s. AWS asks for it in production.
   *
   * @default polls
   */
  readonly events?: AsyncIterable<string>;
  /** What shorter pauses cost are calls, of which AWS allows an account only so many a second. */
  readonly poll?: GameLiftPoll;
  /** @default the global one */
  readonly tracerProvider?: TracerProvider;
  /** @default the global one */
  readonly meterProvider?: MeterProvider;
}

/** Who starts the game session. */
export type Source =
  | { readonly queue: string }
  | { readonly fleet: Readonly<Record<string, string>>; location(wanted: Wanted): string | undefined };

export interface ResolvedGameLiftProvider extends Pick<GameLiftProviderOptions, "client"> {
  readonly source: Source;
  readonly maximumPlayers: number | undefined;
  readonly properties: Readonly<Record<string, string>>;
  readonly events: AsyncIterable<string> | undefined;
  readonly poll: Required<GameLiftPoll>;
  readonly tracerProvider: TracerProvider | undefined;
  readonly meterProvider: MeterProvider | undefined;
}

/**
 * AWS allows few describing calls a second, to all matches together. From 2 s on, growing by half, a wait sees its server
 * at most a third later than it was there, and costs 8 calls a minute.
 */
const POLL = { first: 2000, longest: 10_000 };

const SOURCES = ["fleetId", "aliasId", "queue"] as const;
const KNOWN = [
  "client",
  ...SOURCES,
  "location",
  "maximumPlayers",
  "properties",
  "events",
  "poll",
  "tracerProvider",
  "meterProvider",
] as const satisfies (keyof GameLiftProviderOptions)[];

/** Defaults in, errors out. Throws TypeError for an unknown option, or a value of the wrong kind. */
export function resolveGameLiftProvider(options: GameLiftProviderOptions): ResolvedGameLiftProvider {
  checkKeys("gamelift", options, KNOWN);
  const { client, maximumPlayers, properties = {}, events, poll = {}, tracerProvider, meterProvider } = options;
  return Object.freeze({
    client: checkShape<GameLiftSender>("gamelift.client", client, ["send"]),
    source: resolveSource(options),
    maximumPlayers: optional(maximumPlayers, (given) => checkCount("gamelift.maximumPlayers", given)),
    properties: checkProperties("gamelift.properties", properties),
    events: optional(events, checkEvents),
    poll: resolvePoll(poll),
    tracerProvider: optional(tracerProvider, (given) =>
      checkShape<TracerProvider>("gamelift.tracerProvider", given, ["getTracer"]),
    ),
    meterProvider: optional(meterProvider, (given) =>
      checkShape<MeterProvider>("gamelift.meterProvider", given, ["getMeter"]),
    ),
  });
}

function resolveSource(options: GameLiftProviderOptions): Source {
  const given = SOURCES.filter((source) => options[source] !== undefined);
  const [source] = given;
  if (source === undefined || given.length > 1) {
    const got = show(Object.fromEntries(given.map((name) => [name, options[name]])));
    throw new TypeError(`gamelift: exactly one of ${SOURCES.join(", ")} must be given, got ${got}`);
  }
  const id = checkString(`gamelift.${source}`, options[source]);
  const { location } = options;
  if (source === "queue") {
    if (location !== undefined) {
      throw new TypeError(`gamelift.location must not stand beside gamelift.queue, got ${show(location)}`);
    }
    return { queue: id };
  }
  const fleet = source === "fleetId" ? { FleetId: id } : { AliasId: id };
  if (typeof location === "function") {
    const check = (found: string | undefined) =>
      optional(found, (name) => checkString("what gamelift.location() returned", name));
    return { fleet, location: (wanted) => check(location(wanted)) };
  }
  const fixed = optional(location, (name) => checkString("gamelift.location", name));
  return { fleet, location: () => fixed };
}

function checkEvents(events: AsyncIterable<string>): AsyncIterable<string> {
  if (typeof (events as Partial<AsyncIterable<string>> | null)?.[Symbol.asyncIterator] !== "function") {
    throw new TypeError(`gamelift.events must be an AsyncIterable of ids, got ${show(events)}`);
  }
  return events;
}

function resolvePoll(poll: GameLiftPoll): Required<GameLiftPoll> {
  checkKeys("gamelift.poll", poll, ["first", "longest"]);
  const first = checkDuration("gamelift.poll.first", poll.first ?? POLL.first);
  const longest = checkDuration("gamelift.poll.longest", poll.longest ?? POLL.longest);
  return { first, longest };
}
