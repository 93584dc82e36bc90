import type { MeterProvider, TracerProvider } from "@opentelemetry/api";
import {
  checkKeys,
  checkObjects,
  checkOneOf,
  checkShape,
  checkString,
  checkStringMap,
  optional,
  show,
} from "../../internal/check.ts";
import type { Wanted } from "../provider.ts";

/** Certificates and keys as PEM. */
export interface AgonesTls {
  /** Who signed the service's certificate. @default the authorities that Node knows */
  readonly ca?: string | Uint8Array;
  /** The client's certificate, with `key`: the service asks for one unless it runs with `--disable-mtls`. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** The name in the service's certificate, where it is not the endpoint's. */
  readonly serverName?: string;
}

/** Which servers may be taken. */
export interface GameServerSelector {
  /** @default {}: all of the namespace */
  readonly matchLabels?: Readonly<Record<string, string>>;
  /** `"Allocated"` takes a server once more that has a match already. @default "Ready" */
  readonly state?: "Ready" | "Allocated";
}

/** What is used of the `KubeConfig` of `@kubernetes/client-node`. */
export interface KubeConfigLike {
  getCurrentCluster(): { readonly server: string } | null;
  applyToHTTPSOptions(options: object): Promise<void>;
}

/** What `agones()` of `colyseus-otel/backend` takes. */
export interface AgonesProviderOptions {
  /** `host:port` of the allocation service's gRPC port. Either this or `kubernetes`. */
  readonly endpoint?: string;
  /** Of the endpoint. @default none: plaintext, for a service with `--disable-tls` */
  readonly tls?: AgonesTls;
  /**
   * Asks the Kubernetes API instead: as the KubeConfig says, or with `true` as the default one does (`KUBECONFIG`,
   * `~/.kube/config`, in a pod its service account). It must be allowed to create `gameserverallocations`, and to watch
   * `gameservers`: without the latter it asks again with pauses while none is Ready.
   */
  readonly kubernetes?: true | KubeConfigLike;
  /** Kubernetes namespace of the game servers. @default "default" */
  readonly namespace?: string;
  /** Takes servers of this Fleet only: short for a selector with the label `agones.dev/fleet`. */
  readonly fleet?: string;
  /**
   * Which servers may be taken, in order of preference; or a function that says so for each match. Not beside `fleet`.
   *
   * @default every Ready server of the namespace
   */
  readonly selectors?: readonly GameServerSelector[] | ((wanted: Wanted) => readonly GameServerSelector[]);
  /** @default the global one */
  readonly tracerProvider?: TracerProvider;
  /** @default the global one */
  readonly meterProvider?: MeterProvider;
}

export interface ResolvedAgonesProvider {
  readonly by:
    | { readonly endpoint: string; readonly tls: AgonesTls | undefined }
    | { readonly kubernetes: true | KubeConfigLike };
  readonly namespace: string;
  readonly selectors: (wanted: Wanted) => readonly GameServerSelector[];
  readonly tracerProvider: TracerProvider | undefined;
  readonly meterProvider: MeterProvider | undefined;
}

const FLEET_LABEL = "agones.dev/fleet";
const ENDPOINT = /^([^\s:/]+|\[[0-9a-f:.]+\]):\d{1,5}$/i;
const KNOWN = [
  "endpoint",
  "tls",
  "kubernetes",
  "namespace",
  "fleet",
  "selectors",
  "tracerProvider",
  "meterProvider",
] as const satisfies (keyof AgonesProviderOptions)[];

/** Defaults in, errors out. Throws TypeError for an unknown option, or a value of the wrong kind. */
export function resolveAgonesProvider(options: AgonesProviderOptions): ResolvedAgonesProvider {
  checkKeys("agones", options, KNOWN);
  const { namespace = "default", tracerProvider, meterProvider } = options;
  return Object.freeze({
    by: resolveWay(options),
    namespace: checkString("agones.namespace", namespace),
    selectors: resolveSelectors(options),
    tracerProvider: optional(tracerProvider, (given) =>
      checkShape<TracerProvider>("agones.tracerProvider", given, ["getTracer"]),
    ),
    meterProvider: optional(meterProvider, (given) =>
      checkShape<MeterProvider>("agones.meterProvider", given, ["getMeter"]),
    ),
  });
}

function resolveWay({ endpoint, tls, kubernetes }: AgonesProviderOptions): ResolvedAgonesProvider["by"] {
  if (kubernetes === undefined) {
    if (endpoint === undefined) {
      throw new TypeError("agones.endpoint or agones.kubernetes must be given, got neither");
    }
    if (!ENDPOINT.test(checkString("agones.endpoint", endpoint))) {
      throw new TypeError(`agones.endpoint must be host:port, got ${show(endpoint)}`);
    }
    return { endpoint, tls: optional(tls, checkTls) };
  }
  // Neither keys of TLS nor tokens of a KubeConfig: messages end up in logs.
  if (endpoint !== undefined || tls !== undefined) {
    const [option, value] = endpoint === undefined ? ["tls", Object.keys(tls!)] : ["endpoint", endpoint];
    throw new TypeError(`agones.${option} must not stand beside agones.kubernetes, got ${show(value)}`);
  }
  if (kubernetes !== true && !isKubeConfig(kubernetes)) {
    const shown = typeof kubernetes === "object" && kubernetes !== null ? Object.keys(kubernetes) : kubernetes;
    throw new TypeError(`agones.kubernetes must be true or a KubeConfig, got ${show(shown)}`);
  }
  return { kubernetes };
}

function isKubeConfig(value: Partial<KubeConfigLike> | null): value is KubeConfigLike {
  return typeof value?.getCurrentCluster === "function" && typeof value.applyToHTTPSOptions === "function";
}

function checkTls(tls: AgonesTls): AgonesTls {
  checkKeys("agones.tls", tls, ["ca", "cert", "key", "serverName"]);
  for (const part of ["ca", "cert", "key"] as const) {
    if (tls[part] !== undefined && !(tls[part] instanceof Uint8Array)) {
      checkString(`agones.tls.${part}`, tls[part]);
    }
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    const [given, missing] = tls.cert === undefined ? ["key", "cert"] : ["cert", "key"];
    throw new TypeError(`agones.tls.${missing} must be given with agones.tls.${given}, got undefined`);
  }
  optional(tls.serverName, (given) => checkString("agones.tls.serverName", given));
  return tls;
}

function resolveSelectors({ fleet, selectors }: AgonesProviderOptions): ResolvedAgonesProvider["selectors"] {
  if (fleet !== undefined && selectors !== undefined) {
    throw new TypeError(`agones.selectors must not stand beside agones.fleet, got ${show(fleet)}`);
  }
  if (fleet !== undefined) {
    const ofFleet = [{ matchLabels: { [FLEET_LABEL]: checkString("agones.fleet", fleet) } }];
    return () => ofFleet;
  }
  if (typeof selectors === "function") {
    return (wanted) => checkSelectors("what agones.selectors() returned", selectors(wanted));
  }
  const fixed = checkSelectors("agones.selectors", selectors ?? []);
  return () => fixed;
}

function checkSelectors(option: string, value: readonly GameServerSelector[]): readonly GameServerSelector[] {
  return checkObjects(option, value).map((selector, index) => {
    checkKeys(`${option}[${index}]`, selector, ["matchLabels", "state"]);
    const { matchLabels = {}, state = "Ready" } = selector;
    return {
      matchLabels: checkStringMap(`${option}[${index}].matchLabels`, matchLabels),
      state: checkOneOf(`${option}[${index}].state`, state, ["Ready", "Allocated"]),
    };
  });
}
