import { KubeConfig } from "@kubernetes/client-node";
import { agones, type AgonesProviderOptions, type Provider } from "colyseus-otel/backend";
import { startSidecar, type Sidecar, type SidecarOptions } from "../standins/agones-sidecar.ts";
import { startKubernetesApi, type KubernetesApi, type KubernetesApiOptions } from "../standins/kubernetes-api.ts";
import { watchSpans, type Loose } from "./_provisioning.ts";
import { until } from "./_server.ts";
import { recordTelemetry, type RecordingTelemetry } from "./_telemetry.ts";

/** A Kubernetes API with game servers behind it, and a provider before it. */
export interface KubernetesCluster extends AsyncDisposable {
  readonly api: KubernetesApi;
  readonly servers: readonly Sidecar[];
  readonly recorded: RecordingTelemetry;
  readonly provider: Provider;
  openSpans(): number;
  /** Neither a span nor a watch is open. */
  nothingOpen(): Promise<void>;
  connect(options?: Partial<AgonesProviderOptions>): Provider;
  add(options?: SidecarOptions): Promise<Sidecar>;
}

export async function startKubernetesCluster(
  states: readonly SidecarOptions["state"][] = ["Ready"],
  { tls, ca }: Pick<KubernetesApiOptions, "tls"> & { readonly ca?: string } = {},
  options: Loose<AgonesProviderOptions> = {},
): Promise<KubernetesCluster> {
  const stack = new AsyncDisposableStack();
  const api = stack.use(await startKubernetesApi(tls && { tls }));
  const recorded = recordTelemetry();
  const { tracerProvider, openSpans } = watchSpans(recorded.tracerProvider);
  const { meterProvider } = recorded;
  const kubernetes = kubeConfigOf(api, ca);
  const connect = (more: Partial<AgonesProviderOptions> = {}) =>
    stack.use(agones({ kubernetes, tracerProvider, meterProvider, ...options, ...more } as AgonesProviderOptions));
  const servers: Sidecar[] = [];
  const add = async (sidecar: SidecarOptions = {}) => {
    const server = stack.use(await startSidecar({ name: `arena-${servers.length + 1}`, ...sidecar }));
    servers.push(server);
    api.register(server, { port: 7000 + servers.length });
    return server;
  };
  for (const state of states) {
    await add(state && { state });
  }
  return {
    api,
    servers,
    recorded,
    provider: connect(),
    openSpans,
    nothingOpen: () => until("no open span or watch", () => openSpans() === 0 && api.watches() === 0),
    connect,
    add,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** As a user has it. The client refuses plaintext unless it is told not to look. */
export function kubeConfigOf({ server, token }: Pick<KubernetesApi, "server" | "token">, ca?: string): KubeConfig {
  const config = new KubeConfig();
  const trust = ca === undefined ? { skipTLSVerify: true } : { caData: Buffer.from(ca).toString("base64") };
  config.loadFromClusterAndUser(
    { name: "arena", server, ...trust } as Parameters<KubeConfig["loadFromClusterAndUser"]>[0],
    { name: "matchmaker", token },
  );
  return config;
}
