import { context } from "@opentelemetry/api";
import { ATTRIBUTES, ERROR_TYPES, EVENTS, SPANS } from "../../conventions.ts";
import { now } from "../../internal/clock.ts";
import { contextOf, newStep, type Step, type StepEvent } from "../../telling/step.ts";
import type { Answer, Attempt } from "../provider.ts";
import { NOT_ACTIVE, refused, refusedBy, serverOf, unlessUnknown, type Refused } from "./answer.ts";
import type { Call } from "./api.ts";
import type { News } from "./news.ts";
import type { GameLiftPoll } from "./options.ts";
import type { Seen, Way } from "./ways.ts";

export interface Waiting {
  readonly way: Way;
  readonly call: Call;
  readonly news: News;
  readonly poll: Required<GameLiftPoll>;
}

/** What was seen so far. */
export interface Looks {
  seen: Seen;
  count: number;
  readonly events: StepEvent[];
}

/** Of news some may be lost. */
const PAUSE_BESIDE_NEWS_MS = 30_000;
/** Before the deadline it is looked once more: what became active in a long pause is not given up unseen. */
const LAST_LOOK_MS = 500;
const MAX_POLLS_TOLD = 64;

/** From the answer to the start until the game session is active, or is given up. */
export async function waitActive(attempt: Attempt, looks: Looks, waiting: Waiting): Promise<Answer> {
  const step = newStep(SPANS.gameliftWaitActive, { parent: attempt.parent, events: looks.events });
  attempt.teller.open(step);
  try {
    const over = await context.with(contextOf(step), () => lookUntilOver(attempt, looks, waiting));
    step.failure = over?.failure;
    tellSession(step, looks.seen);
    return over ? over.refusal : { server: serverOf(looks.seen.session), reused: false };
  } finally {
    step.result[ATTRIBUTES.gameliftFinalStatus.key] = looks.seen.status;
    step.result[ATTRIBUTES.pollCount.key] = looks.count;
    step.result[ATTRIBUTES.waitMs.key] = now() - step.start;
    attempt.teller.close(step);
  }
}

/** Where the players go, on the span that came to know it. */
export function tellSession({ result }: Step, { session }: Seen): void {
  const said = {
    [ATTRIBUTES.gameliftSession.key]: session.GameSessionId,
    [ATTRIBUTES.gameliftIp.key]: session.IpAddress,
    [ATTRIBUTES.gameliftPort.key]: session.Port,
  };
  Object.assign(result, Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)));
}

/** Undefined once the game session is ready. */
async function lookUntilOver(attempt: Attempt, looks: Looks, waiting: Waiting): Promise<Refused | undefined> {
  const { signal, left } = attempt;
  const { way, call, news, poll } = waiting;
  const { id } = looks.seen;
  for (let longest = poll.first; looks.seen.state === "waiting"; longest = Math.min(longest * 1.5, poll.longest)) {
    if (left() <= LAST_LOOK_MS) {
      return refused(NOT_ACTIVE, `${id} was still ${looks.seen.status} at the deadline`);
    }
    // Half of it by chance: matches that were started together must not be looked at together.
    const pause = news.flowing ? PAUSE_BESIDE_NEWS_MS : longest * (0.5 + Math.random() / 2);
    await news.wait(id, Math.min(pause, left() - LAST_LOOK_MS), signal);
    try {
      looks.seen = (await way.look(id, call).catch(unlessUnknown)) ?? looks.seen;
      look(looks, looks.seen.status);
    } catch (error) {
      const wrong = refusedBy(error, signal);
      if (signal.aborted) {
        return wrong;
      }
      look(looks, wrong.failure.type);
      if (!wrong.refusal.again && wrong.failure.type !== ERROR_TYPES.deadline) {
        return wrong;
      }
      longest = wrong.failure.type === ERROR_TYPES.quota ? poll.longest : longest;
    }
  }
  const { state, status } = looks.seen;
  return typeof state === "object" ? refused(state, `${id} is ${status}`) : undefined;
}

function look(looks: Looks, status: string): void {
  looks.count += 1;
  if (looks.events.length < MAX_POLLS_TOLD) {
    looks.events.push({ name: EVENTS.poll.name, at: now(), attributes: { [ATTRIBUTES.pollStatus.key]: status } });
  }
}
