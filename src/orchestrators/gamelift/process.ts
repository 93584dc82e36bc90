import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES, ERROR_TYPES, SPANS } from "../../conventions.ts";
import { seconds } from "../../internal/deadline.ts";
import { describe } from "../../internal/report.ts";
import type { Failure, Step } from "../../telling/step.ts";
import type { OrchestratorEvents } from "../orchestrator.ts";
import type { Connection } from "./connection.ts";
import { SDK } from "./endpoint.ts";
import type { ServerIdentity } from "./environment.ts";
import { persist } from "./persist.ts";
import type { Timings } from "./timings.ts";

export interface ServerProcess {
  readonly events: OrchestratorEvents;
  readonly server: ServerIdentity;
  readonly connection: Connection;
}

/** What the official SDKs call InitSDK(): there is no such message, the service knows the process by its connection. */
export async function connectProcess({ events, server, connection }: ServerProcess, deadline: number): Promise<void> {
  events.identified(identityOf(server, server.hostId));
  const step = events.begin(SPANS.gameliftConnect);
  const { hostId } = await observed(events, step, connection.connect(deadline), (connected) => connected?.attempts);
  events.identified(identityOf(server, hostId));
}

/** What the official SDKs call ProcessReady(): from now on the service may send a game session. */
export async function activateProcess(
  { events, server, connection }: ServerProcess,
  {
    deadline,
    port,
    logPaths,
  }: { readonly deadline: number; readonly port: number; readonly logPaths: readonly string[] },
  timings: Timings,
): Promise<void> {
  const { name, version } = server.tool;
  const fields = {
    SdkVersion: SDK.version,
    SdkLanguage: SDK.language,
    ...(name && { SdkToolName: name }),
    ...(version && { SdkToolVersion: version }),
    Port: port,
    LogPaths: logPaths,
  };
  let attempts = 0;
  const activate = () => {
    attempts += 1;
    return connection.call("ActivateServerProcess", fields, { timeout: timings.activateProcess });
  };
  const activated = persist(activate, timings.retry, performance.now() + deadline).catch((error: unknown) => {
    throw new Error(
      `GameLift did not take this process in ${seconds(deadline)}: ${describe(error)}. Was port ${port} from 1 to 60000, ` +
        "and is the process id another one for each start?",
      { cause: error },
    );
  });
  await observed(events, events.begin(SPANS.gameliftReady), activated, () => attempts);
}

function identityOf({ fleetId, processId }: ServerIdentity, hostId: string): Attributes {
  return {
    [ATTRIBUTES.gameliftFleet.key]: fleetId,
    [ATTRIBUTES.gameliftProcess.key]: processId,
    ...(hostId && { [ATTRIBUTES.gameliftHost.key]: hostId }),
  };
}

/** Ends the step as the call comes out, with the attempts that it took. */
async function observed<T>(
  events: OrchestratorEvents,
  step: Step,
  call: Promise<T>,
  attempts: (outcome: T | undefined) => number | undefined,
): Promise<T> {
  let outcome: T | undefined;
  let failure: Failure | undefined;
  try {
    outcome = await call;
    return outcome;
  } catch (error) {
    failure = { type: ERROR_TYPES.orchestratorFailed, expected: false, message: describe(error) };
    throw error;
  } finally {
    step.result[ATTRIBUTES.gameliftAttempts.key] = attempts(outcome);
    events.end(step, failure);
  }
}
