import { ATTRIBUTES, ERROR_TYPES, SPANS } from "../conventions.ts";
import { seconds } from "../internal/deadline.ts";
import { describe } from "../internal/report.ts";
import { newStep, type Step } from "../telling/step.ts";
import { AllocationError } from "./allocation-error.ts";
import { resolveAllocation, type AllocateOptions, type ResolvedAllocation } from "./options.ts";
import { createPatience, type Patience } from "./patience.ts";
import type { AllocatedServer, Refusal } from "./provider.ts";
import { createWaiting, type Waiting } from "./waiting.ts";

/**
 * Asks the provider for a server until it has one: while none is Ready (the fleet starts one) or the service is away, it
 * asks again, with growing pauses. One trace from here through the server's `gameserver.allocated`.
 *
 * A service that dies between request and answer may have allocated a server already, and the next call takes another:
 * have servers shut down that nobody joins.
 *
 * @throws TypeError for an unknown option, or a value of the wrong kind
 * @throws AllocationError when there is no server
 */
export async function allocate(options: AllocateOptions): Promise<AllocatedServer> {
  const allocation = resolveAllocation(options);
  const { running } = allocation.core;
  const result = observed(allocation);
  running.add(result);
  return result.finally(() => running.delete(result));
}

async function observed(allocation: ResolvedAllocation): Promise<AllocatedServer> {
  const { core, request, deadline, signal } = allocation;
  core.teller.look();
  const step = openStep(allocation);
  const patience = createPatience(deadline, signal ? [signal, core.closing] : [core.closing]);
  const waiting = createWaiting(core, request, step);
  try {
    const server = await askUntilHad(allocation, step, patience, waiting);
    step.result[ATTRIBUTES.provisionAttempts.key] = server.attempts;
    step.result[ATTRIBUTES.provisionTotal.key] = deadline - patience.left();
    step.result[ATTRIBUTES.gameserverStart.key] = server.start;
    step.result[ATTRIBUTES.serverAddress.key] = server.address;
    step.result[ATTRIBUTES.serverPort.key] = server.port;
    return server;
  } catch (error) {
    const failed = error instanceof AllocationError ? error : ourFault(error);
    step.result[ATTRIBUTES.provisionAttempts.key] = failed.attempts;
    const expected = failed.outcome === ERROR_TYPES.aborted;
    step.failure = { type: failed.outcome, expected, message: failed.message };
    throw failed;
  } finally {
    patience.end();
    waiting.end(step.failure);
    core.ended?.(allocation.request);
    core.teller.close(step);
  }
}

function openStep({ core, provider, request, place }: ResolvedAllocation): Step {
  const { region, mode, players } = request;
  for (const outcome of place.outcomes) {
    core.teller.note({ note: "trace_context", source: "player", outcome });
  }
  const step = newStep(SPANS.allocateServer, {
    start: request.requestedAt,
    parent: place.parent,
    links: place.links,
    attributes: {
      [ATTRIBUTES.provider.key]: provider.name,
      ...(region !== undefined && { [ATTRIBUTES.region.key]: region }),
      ...(mode !== undefined && { [ATTRIBUTES.gameMode.key]: mode }),
      ...(players !== undefined && { [ATTRIBUTES.requiredPlayers.key]: players }),
    },
  });
  core.teller.open(step);
  return step;
}

async function askUntilHad(
  { core, request, deadline }: ResolvedAllocation,
  parent: Step,
  { signal, left, pause }: Patience,
  waiting: Waiting,
): Promise<AllocatedServer> {
  let last: Refusal | undefined;
  for (let attempts = 0; ;) {
    if (signal.aborted) {
      throw new AllocationError("the allocation was aborted", aborted(signal, attempts));
    }
    attempts += 1;
    waiting.called();
    const answer = await core.ask({ request, teller: core.teller, parent, signal, left });
    if ("server" in answer) {
      return { ...answer.server, attempts, start: answer.reused ? "reused" : waiting.begun ? "cold" : "warm" };
    }
    // A call that the deadline cut off says less than the answer before it.
    last = answer.outcome === ERROR_TYPES.deadline && last ? last : answer;
    if (signal.aborted) {
      throw new AllocationError("the allocation was aborted", aborted(signal, attempts));
    }
    const pauseBy = waiting.refused(answer);
    if (!answer.again || !(await pause(pauseBy))) {
      const calls = attempts === 1 ? "one call" : `${attempts} calls`;
      const message = `no server after ${calls} in ${seconds(deadline - left())}, last: ${last.message}`;
      throw new AllocationError(message, { outcome: last.outcome, attempts, cause: last.cause });
    }
  }
}

function aborted(signal: AbortSignal, attempts: number) {
  return { outcome: ERROR_TYPES.aborted, attempts, cause: signal.reason as unknown };
}

function ourFault(cause: unknown): AllocationError {
  const message = `no server: ${describe(cause)}`;
  return new AllocationError(message, { outcome: ERROR_TYPES.allocationFailed, attempts: 0, cause });
}
