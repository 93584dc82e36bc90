import type { SidecarHost } from "./sidecar-host.ts";
import type { SdkMethod, Transport } from "./sidecar-tally.ts";

export type UnaryMethod = Exclude<SdkMethod, "health" | "watchGameServer">;

/** What a request carries: a `KeyValue`, a `Duration` or nothing. */
export interface SdkRequest {
  readonly key?: string;
  readonly value?: string;
  readonly seconds?: number;
}

/**
 * Counts the call, answers, and then does what was asked: the real one queues a change and answers before anything has
 * happened. @param answer told why the request is INVALID_ARGUMENT, or nothing
 */
export function serveUnary(
  host: SidecarHost,
  transport: Transport,
  method: UnaryMethod,
  request: SdkRequest,
  answer: (problem: string | undefined) => void,
): void {
  host.received(method, transport);
  const problem = problemOf(method, request);
  host.traffic.answer(() => answer(problem));
  if (problem === undefined) actions[method](host, request);
}

type Action = (host: SidecarHost, request: SdkRequest) => void;

const actions: Readonly<Record<UnaryMethod, Action>> = {
  ready: (host) => host.request({ state: "RequestReady" }),
  allocate: (host) => host.request({ state: "Allocated" }),
  shutdown: (host) => host.request({ state: "Shutdown" }),
  reserve: (host, { seconds = 0 }) => host.request({ state: "Reserved" }, seconds),
  getGameServer: () => {},
  setLabel: (host, request) => host.request({ labels: metadata(request) }),
  setAnnotation: (host, request) => host.request({ annotations: metadata(request) }),
};

function metadata({ key = "", value = "" }: SdkRequest): Record<string, string> {
  return { [`agones.dev/sdk-${key}`]: value };
}

function problemOf(method: UnaryMethod, { key = "", value = "" }: SdkRequest): string | undefined {
  if (method !== "setLabel" && method !== "setAnnotation") return undefined;
  const kind = method === "setLabel" ? "label" : "annotation";
  if (!qualifiedName.test(key)) return `invalid ${kind} key "${key}"`;
  if (kind === "label" && !labelValue.test(value)) return `invalid label value "${value}" for key "${key}"`;
}

// Kubernetes' IsQualifiedName (here without its optional prefix) and IsValidLabelValue.
const qualifiedName = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
