import { ATTRIBUTES, ERROR_TYPES, SPANS } from "../../conventions.ts";
import { now } from "../../internal/clock.ts";
import { seconds, within } from "../../internal/deadline.ts";
import { describe, warn } from "../../internal/report.ts";
import type { Failure } from "../../telling/step.ts";
import type { Orchestrator, OrchestratorEvents } from "../orchestrator.ts";
import { connectSidecar } from "./connection.ts";
import {
  allocatedAt,
  allocationKey,
  annotationsOf,
  identity,
  isReadyOrLater,
  isTerminal,
  stateOf,
} from "./game-server.ts";
import { sidecarAddress, type AgonesSdk, type GameServer } from "./sdk.ts";
import { watchGameServer, type Watch } from "./watch.ts";

const SHUTDOWN_MS = 2000;

export interface ResolvedAgonesOptions {
  readonly deadline: number;
  readonly healthInterval: number;
  readonly onAllocated: ((gameServer: GameServer) => unknown) | undefined;
}

interface Link {
  readonly sdk: AgonesSdk;
  readonly watch: Watch;
}

export function createAgones(options: ResolvedAgonesOptions): Orchestrator {
  let events: OrchestratorEvents | undefined;
  let linked: Promise<Link> | undefined;
  let pinging: NodeJS.Timeout | undefined;
  let lastAllocation: string | undefined;

  async function link(to: OrchestratorEvents): Promise<Link> {
    const step = to.begin(SPANS.agonesConnect);
    const { sdk, attempts } = await observed(to, step, connectSidecar(options.deadline));
    step.result[ATTRIBUTES.agonesAttempts.key] = attempts;
    to.end(step);
    ping(sdk);
    pinging = setInterval(() => ping(sdk), options.healthInterval).unref();
    return { sdk, watch: watchGameServer(sdk, (gameServer) => see(to, gameServer)) };
  }

  function see(to: OrchestratorEvents, gameServer: GameServer): void {
    to.identified(identity(gameServer));
    const allocation = allocationKey(gameServer);
    if (allocation !== undefined && allocation !== lastAllocation) {
      const { onAllocated } = options;
      to.allocated({
        at: allocatedAt(gameServer) ?? now(),
        annotations: annotationsOf(gameServer),
        attributes: identity(gameServer),
        prepare: onAllocated && (() => onAllocated(gameServer)),
      });
    }
    lastAllocation = allocation;
  }

  async function requestReady(to: OrchestratorEvents, { sdk, watch }: Link): Promise<void> {
    const until = performance.now() + options.deadline;
    const requested = to.begin(SPANS.agonesReady);
    await observed(
      to,
      requested,
      within(options.deadline, sdk.ready(), () => tooLate("did not answer Ready()", options.deadline)),
    );
    to.end(requested);

    const awaited = to.begin(SPANS.agonesWaitForReady);
    const left = Math.max(1, until - performance.now());
    const settled = watch.until((gameServer) => isReadyOrLater(gameServer) || isTerminal(gameServer));
    const gameServer = await observed(
      to,
      awaited,
      within(left, settled, () => tooLate("did not show Ready", options.deadline)),
    );
    awaited.result[ATTRIBUTES.agonesState.key] = stateOf(gameServer);
    if (isTerminal(gameServer)) {
      const error = new Error(`Agones moved this GameServer to ${stateOf(gameServer)} while it waited for Ready`);
      to.end(awaited, failed(error));
      throw error;
    }
    to.end(awaited);
  }

  return {
    name: "agones",
    connect(to) {
      events = to;
      linked = link(to);
      linked.catch(() => {});
    },
    async ready() {
      if (events && linked) {
        await requestReady(events, await linked);
      }
    },
    async shutdown() {
      const { sdk } = (await linked) ?? {};
      await (sdk && within(SHUTDOWN_MS, sdk.shutdown(), () => tooLate("did not answer Shutdown()", SHUTDOWN_MS)));
    },
    close() {
      clearInterval(pinging);
      linked?.then(
        ({ sdk, watch }) => {
          watch.close();
          sdk.close();
        },
        () => {},
      );
    },
  };
}

function ping(sdk: AgonesSdk): void {
  sdk.health((error) => warn("agones health", `a health ping to the Agones sidecar failed: ${describe(error)}`));
}

/** Ends the step with the error when the call fails; the success is the caller's to end. */
async function observed<T>(
  to: OrchestratorEvents,
  step: Parameters<OrchestratorEvents["end"]>[0],
  call: Promise<T>,
): Promise<T> {
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

function tooLate(what: string, deadline: number): Error {
  const { host, port } = sidecarAddress();
  return new Error(`the Agones sidecar at ${host}:${port} (gRPC) ${what} in ${seconds(deadline)}`);
}
