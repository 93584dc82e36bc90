import { context } from "@opentelemetry/api";
import { randomUUID } from "node:crypto";
import { ATTRIBUTES, SPANS } from "../../conventions.ts";
import { show } from "../../internal/check.ts";
import { contextOf, newStep, type Step } from "../../telling/step.ts";
import { createPatience } from "../patience.ts";
import { carriedContext } from "../place.ts";
import {
  createProvider,
  type AllocationRequest,
  type Answer,
  type Attempt,
  type Provider,
  type Refusal,
} from "../provider.ts";
import { refusedBy, serverOf } from "./answer.ts";
import { createApi, type Api } from "./api.ts";
import { createNews, type News } from "./news.ts";
import { resolveGameLiftProvider, type GameLiftProviderOptions, type ResolvedGameLiftProvider } from "./options.ts";
import { checkMatch, gameProperties } from "./properties.ts";
import { tellSession, waitActive, type Looks } from "./wait.ts";
import { wayOf, type Seen, type Start, type Way } from "./ways.ts";

/** What one `allocate()` has asked for. */
interface Run {
  /** Asked for, and not answered: the next call repeats it. */
  unanswered: Start | undefined;
  /** What nobody will play in unless it becomes the answer. */
  begun: string | undefined;
}

interface Parts {
  readonly options: ResolvedGameLiftProvider;
  readonly api: Api;
  readonly way: Way;
  readonly news: News;
  readonly runs: Map<AllocationRequest, Run>;
}

/** For calls that stop what was begun. */
const FAREWELL_MS = 5000;

/**
 * Game sessions of Amazon GameLift Servers, on a fleet or by a queue. Install `@aws-sdk/client-gamelift` beside this
 * package. Make one for the program's life.
 *
 * @throws TypeError for an unknown option, or a value of the wrong kind
 * @see https://docs.aws.amazon.com/gameliftservers/latest/apireference/API_CreateGameSession.html
 */
export function gamelift(options: GameLiftProviderOptions): Provider {
  const resolved = resolveGameLiftProvider(options);
  const { client, events, tracerProvider, meterProvider } = resolved;
  const [api, way, news] = [createApi(client), wayOf(resolved), createNews(events)];
  const parts = { options: resolved, api, way, news, runs: new Map<AllocationRequest, Run>() };
  const farewells = new Set<Promise<unknown>>();
  return createProvider({
    name: "gamelift",
    tracerProvider,
    meterProvider,
    check: (request) => check(request, resolved),
    ask: (attempt) => ask(attempt, parts),
    ended(request) {
      const begun = parts.runs.get(request)?.begun;
      parts.runs.delete(request);
      if (begun !== undefined) {
        const farewell = way.abandon(begun, api.within(createPatience(FAREWELL_MS, []))).catch(() => {});
        farewells.add(farewell);
        void farewell.then(() => farewells.delete(farewell));
      }
    },
    async disconnect() {
      news.close();
      await Promise.all(farewells);
    },
  });
}

function check(request: AllocationRequest, { properties, maximumPlayers }: ResolvedGameLiftProvider): void {
  checkMatch(request, properties);
  const { players } = request;
  if (maximumPlayers === undefined && !players) {
    throw new TypeError(
      `allocate.players must say how many where gamelift.maximumPlayers does not, got ${show(players)}`,
    );
  }
}

async function ask(attempt: Attempt, parts: Parts): Promise<Answer> {
  const { request } = attempt;
  const run = parts.runs.get(request) ?? { ...NOTHING_BEGUN };
  parts.runs.set(request, run);
  const seen = await start(attempt, run, parts);
  if ("outcome" in seen) {
    return seen;
  }
  run.begun = seen.id;
  const { way, news, options, api } = parts;
  const looks: Looks = { seen, count: 0, events: [] };
  const answer =
    seen.state === "ready"
      ? { server: serverOf(seen.session), reused: false }
      : await waitActive(attempt, looks, { way, news, poll: options.poll, call: api.within(attempt) });
  if ("server" in answer || typeof looks.seen.state === "object") {
    run.begun = undefined;
  }
  return answer;
}

async function start(attempt: Attempt, run: Run, { options, api, way }: Parts): Promise<Seen | Refusal> {
  const { request, teller, signal } = attempt;
  const step = newStep(SPANS.gameliftCreateSession, {
    parent: attempt.parent,
    attributes: attributesOf(request, options),
  });
  teller.open(step);
  const repeated = run.unanswered !== undefined;
  try {
    run.unanswered ??= newStart(attempt, step, options, way);
    const asked = run.unanswered;
    run.begun = way.idIsOurs ? asked.token : undefined;
    const seen = await context.with(contextOf(step), () => way.ask(asked, api.within(attempt), repeated));
    run.unanswered = undefined;
    tellSession(step, seen);
    step.result[ATTRIBUTES.gameliftStatus.key] = seen.status;
    return seen;
  } catch (error) {
    const { failure, refusal, unclear } = refusedBy(error, signal);
    if (!unclear) {
      Object.assign(run, NOTHING_BEGUN);
    }
    step.failure = failure;
    return refusal;
  } finally {
    if (run.begun !== undefined && way.idIsOurs) {
      step.result[ATTRIBUTES.gameliftPlacement.key] = run.begun;
    }
    teller.close(step);
  }
}

const NOTHING_BEGUN: Run = { unanswered: undefined, begun: undefined };

/** A token of its own for each start that was answered, and the same for one that was not. */
function newStart({ request, parent }: Attempt, step: Step, { properties }: ResolvedGameLiftProvider, way: Way): Start {
  return way.start(randomUUID(), request, gameProperties(request, properties, carriedContext(step, parent)));
}

function attributesOf({ region, mode, players }: AllocationRequest, { maximumPlayers }: ResolvedGameLiftProvider) {
  return {
    ...(mode !== undefined && { [ATTRIBUTES.gameMode.key]: mode }),
    ...(region !== undefined && { [ATTRIBUTES.region.key]: region }),
    [ATTRIBUTES.maxPlayers.key]: maximumPlayers ?? players,
  };
}
