import { ATTRIBUTES, ERROR_TYPES, SPANS } from "../../conventions.ts";
import { seconds, within } from "../../internal/deadline.ts";
import { describe } from "../../internal/report.ts";
import type { Failure, Step } from "../../telling/step.ts";
import type { Orchestrator, OrchestratorEvents } from "../orchestrator.ts";
import { askForReady, askForShutdown } from "./asking.ts";
import { connectSidecar } from "./connection.ts";
import { createContact, warnOfOutage, type Contact } from "./contact.ts";
import { healthBudget, isDecided, isReadyOrLater, isReadyRequested, isTerminal, stateOf } from "./game-server.ts";
import { createHandBack } from "./hand-back.ts";
import { keepPinging } from "./pings.ts";
import { addressOf, isRefusal, type GameServer, type Sidecar, type Way } from "./sidecar.ts";
import { createStanding, type Standing } from "./standing.ts";
import { followGameServer, type Watch } from "./watch.ts";

const SHUTDOWN_MS = 2000;

export interface ResolvedAgonesOptions {
  readonly way: Way;
  readonly deadline: number;
  readonly healthInterval: number;
  readonly onAllocated: ((gameServer: GameServer) => unknown) | undefined;
}

interface Link {
  readonly sidecar: Sidecar;
  readonly contact: Contact;
  readonly watch: Watch;
  readonly standing: Standing;
  close(): void;
}

export function createAgones(options: ResolvedAgonesOptions): Orchestrator {
  const { way, deadline } = options;
  let events: OrchestratorEvents | undefined;
  let linked: Promise<Link> | undefined;
  let over = false;

  async function connect(to: OrchestratorEvents): Promise<Link> {
    const step = to.begin(SPANS.agonesConnect);
    const { sidecar, attempts } = await observed(to, step, connectSidecar(way, deadline));
    step.result[ATTRIBUTES.agonesAttempts.key] = attempts;
    to.end(step);
    return follow(sidecar, to, options);
  }

  async function requestReady(to: OrchestratorEvents, link: Link): Promise<void> {
    const until = performance.now() + deadline;
    const requested = to.begin(SPANS.agonesReady);
    const unanswered = () => tooLate(way, "did not answer Ready()", deadline);
    const ask = async (): Promise<void> => {
      const asked = askForReady(link.sidecar, until).catch((error: unknown) => {
        throw isRefusal(error) ? error : unanswered();
      });
      await within(Math.max(1, until - performance.now()), asked, unanswered);
    };
    await observed(to, requested, ask());
    to.end(requested);

    const awaited = to.begin(SPANS.agonesWaitForReady);
    const left = Math.max(1, until - performance.now());
    const late = () => tooLate(way, "did not show Ready", deadline);
    const settled = waitForReady(link, ask, () => performance.now() > until);
    const gameServer = await observed(to, awaited, within(left, settled, late));
    awaited.result[ATTRIBUTES.agonesState.key] = stateOf(gameServer);
    if (!isReadyOrLater(gameServer)) {
      const moved = `Agones moved this GameServer to ${stateOf(gameServer)} while it waited for Ready`;
      const error = isTerminal(gameServer) ? new Error(moved) : late();
      to.end(awaited, failed(error));
      throw error;
    }
    to.end(awaited);
    link.standing.ready();
  }

  return {
    name: "agones",
    connect(to) {
      events = to;
      linked = connect(to);
      linked.catch(() => {});
    },
    async ready() {
      const link = await linked;
      if (over) {
        throw new Error("the server was shut down before Ready");
      }
      await (events && link && requestReady(events, link));
    },
    async shutdown() {
      over = true;
      const { sidecar } = (await linked) ?? {};
      const late = () => tooLate(way, "did not answer Shutdown()", SHUTDOWN_MS);
      await (sidecar && within(SHUTDOWN_MS, askForShutdown(sidecar, performance.now() + SHUTDOWN_MS), late));
    },
    close() {
      over = true;
      linked?.then(
        (link) => link.close(),
        () => {},
      );
    },
  };
}

/** Pings and watches from now on, whatever becomes of the sidecar. */
function follow(
  sidecar: Sidecar,
  to: OrchestratorEvents,
  { way, healthInterval, onAllocated }: ResolvedAgonesOptions,
): Link {
  const handBack = createHandBack(sidecar);
  const standing = createStanding({ to, handBack, onAllocated });
  const budget = () => healthBudget(standing.gameServer);
  let closed = false;
  const contact = createContact((problem) => {
    if (closed) {
      return;
    }
    standing.away(problem);
    if (problem === undefined) {
      handBack.again();
    } else {
      warnOfOutage(`the Agones sidecar ${addressOf(way)} is away (${problem})`, budget()?.total);
      pings.hurry();
    }
  });
  const pings = keepPinging({ sidecar, contact, interval: healthInterval, budget });
  const watch = followGameServer({
    sidecar,
    contact,
    onUpdate(gameServer) {
      const before = budget()?.period;
      standing.see(gameServer);
      if (budget()?.period !== before) {
        // The pause until the next one was made without knowing it.
        pings.hurry();
      }
    },
  });
  return {
    sidecar,
    contact,
    watch,
    standing,
    close() {
      closed = true;
      pings.stop();
      handBack.close();
      watch.close();
      sidecar.close();
    },
  };
}

/** What the sidecar has answered it may still lose: it queues the request, and dies with its queue. */
async function waitForReady(
  { contact, watch }: Link,
  ask: () => Promise<void>,
  isLate: () => boolean,
): Promise<GameServer> {
  for (let losses = contact.losses; ; losses = contact.losses) {
    const wasLost = (seen: GameServer) => losses !== contact.losses && !isReadyRequested(seen);
    const gameServer = await watch.until((seen) => isDecided(seen) || isLate() || wasLost(seen));
    if (isDecided(gameServer) || isLate()) {
      return gameServer;
    }
    await ask();
  }
}

/** Ends the step with the error when the call fails; the success is the caller's to end. */
async function observed<T>(to: OrchestratorEvents, step: Step, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    to.end(step, failed(error));
    throw error;
  }
}

function failed(error: unknown): Failure {
  return { type: ERROR_TYPES.orchestratorFailed, expected: false, message: describe(error) };
}

function tooLate(way: Way, what: string, deadline: number): Error {
  return new Error(`the Agones sidecar ${addressOf(way)} ${what} in ${seconds(deadline)}`);
}
