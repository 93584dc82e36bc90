import { context } from "@opentelemetry/api";
import { ATTRIBUTES, SPANS } from "../../conventions.ts";
import { annotationsWithContext, REQUESTED_AT_KEY } from "../../propagation/annotations.ts";
import { parseTraceparent } from "../../propagation/traceparent.ts";
import { toLink } from "../../telling/spans.ts";
import { contextOf, newStep, type Step } from "../../telling/step.ts";
import { carriedContext } from "../place.ts";
import { createProvider, type Answer, type Attempt, type Found, type Provider } from "../provider.ts";
import { byKubernetes } from "./kubernetes/way.ts";
import { resolveAgonesProvider, type AgonesProviderOptions, type ResolvedAgonesProvider } from "./options.ts";
import { abortedCall, type Refused } from "./refusal.ts";
import { byService } from "./service.ts";
import type { AgonesRequest, Way } from "./way.ts";

/** The context of the server's boot, or of its last match; its plugin writes it. The prefix is the sidecar's. */
const OWN_CONTEXT_KEY = "agones.dev/sdk-traceparent";
/** Likewise: how many allocations the server has seen. */
const ALLOCATIONS_KEY = "agones.dev/sdk-allocations";

/**
 * Servers of an Agones cluster: by its allocation service over gRPC (`endpoint`; install `@grpc/grpc-js` and
 * `@grpc/proto-loader` beside this package) or by the Kubernetes API (`kubernetes`; `@kubernetes/client-node`). Make one
 * for the program's life: it holds the connection.
 *
 * @throws TypeError for an unknown option, or a value of the wrong kind
 * @see https://agones.dev/site/docs/advanced/allocator-service/
 * @see https://agones.dev/site/docs/reference/gameserverallocation/
 */
export function agones(options: AgonesProviderOptions): Provider {
  const resolved = resolveAgonesProvider(options);
  const { by, namespace, tracerProvider, meterProvider } = resolved;
  const way = "endpoint" in by ? byService(by.endpoint, by.tls) : byKubernetes(by.kubernetes, namespace);
  return createProvider({
    name: "agones",
    tracerProvider,
    meterProvider,
    ask: (attempt) => ask(attempt, way, resolved),
    watch: way.watch && (({ region, mode }, saw) => way.watch!(resolved.selectors({ region, mode }), saw)),
    disconnect: way.close,
  });
}

async function ask(attempt: Attempt, way: Way, options: ResolvedAgonesProvider): Promise<Answer> {
  const { teller, signal, left } = attempt;
  const step = newStep(SPANS.agonesAllocate, { parent: attempt.parent });
  teller.open(step);
  try {
    const request = requestOf(attempt, step, options);
    const answer = await context.with(contextOf(step), () => way.call(request, left, signal));
    return "refusal" in answer ? tell(step, answer) : had(step, answer);
  } catch (error) {
    return tell(step, signal.aborted ? abortedCall(error) : way.refusedBy(error));
  } finally {
    teller.close(step);
  }
}

function had(step: Step, server: Found): Answer {
  step.result[ATTRIBUTES.agonesState.key] = "Allocated";
  step.result[ATTRIBUTES.agonesServerName.key] = server.name;
  step.result[ATTRIBUTES.agonesNodeName.key] = server.node;
  const own = parseTraceparent(server.annotations[OWN_CONTEXT_KEY]);
  if (typeof own === "object") {
    step.live?.addLink(toLink({ context: own, source: "annotation" }));
  }
  return { server, reused: /^[1-9]\d*$/.test(server.annotations[ALLOCATIONS_KEY] ?? "") };
}

function tell(step: Step, { failure, refusal }: Refused): Answer {
  step.failure = failure;
  if (refusal.state) {
    step.result[ATTRIBUTES.agonesState.key] = refusal.state;
  }
  return refusal;
}

function requestOf({ request, parent }: Attempt, step: Step, options: ResolvedAgonesProvider): AgonesRequest {
  const { region, mode, labels } = request;
  const annotations = {
    ...request.annotations,
    [REQUESTED_AT_KEY]: String(Math.floor(request.requestedAt)),
  };
  const told = carriedContext(step, parent);
  return {
    namespace: options.namespace,
    selectors: options.selectors({ region, mode }),
    labels,
    // An allocation takes no annotation away: a server that is used again would still have the last match's tracestate.
    annotations: told ? { tracestate: "", ...annotationsWithContext(annotations, told) } : annotations,
  };
}
