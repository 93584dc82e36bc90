import { context } from "@opentelemetry/api";
import { ATTRIBUTES, SPANS } from "../../conventions.ts";
import { annotationsWithContext, REQUESTED_AT_KEY } from "../../propagation/annotations.ts";
import { contextOf, newStep, type Step } from "../../telling/step.ts";
import { createProvider, type Answer, type Attempt, type Provider } from "../provider.ts";
import { noneReady, refusedBy, serverOf, type Refused } from "./answer.ts";
import { createConnection, type Connection } from "./connection.ts";
import { resolveAgonesProvider, type AgonesProviderOptions, type ResolvedAgonesProvider } from "./options.ts";
import type { AllocateRequest } from "./protocol.ts";

/**
 * Servers of an Agones cluster, by its allocation service over gRPC. Install `@grpc/grpc-js` and `@grpc/proto-loader`
 * beside this package. Make one for the program's life: it holds the connection.
 *
 * @throws TypeError for an unknown option, or a value of the wrong kind
 * @see https://agones.dev/site/docs/advanced/allocator-service/
 */
export function agones(options: AgonesProviderOptions): Provider {
  const resolved = resolveAgonesProvider(options);
  const { endpoint, tls, tracerProvider, meterProvider } = resolved;
  const connection = createConnection(endpoint, tls);
  return createProvider({
    name: "agones",
    tracerProvider,
    meterProvider,
    ask: (attempt) => ask(attempt, connection, resolved),
    disconnect: connection.close,
  });
}

async function ask(attempt: Attempt, connection: Connection, options: ResolvedAgonesProvider): Promise<Answer> {
  const { teller, signal, left } = attempt;
  const step = newStep(SPANS.agonesAllocate, { parent: attempt.parent });
  teller.open(step);
  try {
    const request = requestOf(attempt, step, options);
    const active = contextOf(step);
    const response = await context.with(active, () => connection.call(request, left, signal));
    const server = serverOf(response);
    if (!server) {
      return tell(step, noneReady());
    }
    step.result[ATTRIBUTES.agonesState.key] = "Allocated";
    step.result[ATTRIBUTES.agonesServerName.key] = server.name;
    step.result[ATTRIBUTES.agonesNodeName.key] = server.node;
    return { server };
  } catch (error) {
    return tell(step, refusedBy(error, signal));
  } finally {
    teller.close(step);
  }
}

function tell(step: Step, { state, failure, refusal }: Refused): Answer {
  step.failure = failure;
  if (state) {
    step.result[ATTRIBUTES.agonesState.key] = state;
  }
  return refusal;
}

function requestOf({ request, parent }: Attempt, step: Step, options: ResolvedAgonesProvider): AllocateRequest {
  const { region, mode, labels } = request;
  const annotations = {
    ...request.annotations,
    [REQUESTED_AT_KEY]: String(Math.floor(request.requestedAt)),
  };
  // Without an SDK whoever called us is still to be found.
  const told = step.spanContext ?? (parent.parent && "traceId" in parent.parent ? parent.parent : undefined);
  return {
    namespace: options.namespace,
    gameServerSelectors: options.selectors({ region, mode }).map(({ matchLabels = {}, state }) => ({
      matchLabels,
      gameServerState: state === "Allocated" ? "ALLOCATED" : "READY",
    })),
    metadata: {
      labels,
      // An allocation takes no annotation away: a server that is used again would still have the last match's tracestate.
      annotations: told ? { tracestate: "", ...annotationsWithContext(annotations, told) } : annotations,
    },
  };
}
