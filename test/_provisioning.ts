import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { INVALID_SPAN_CONTEXT, trace, type Span, type TracerProvider } from "@opentelemetry/api";
import { agones, AllocationError, type AgonesProviderOptions, type Provider } from "colyseus-otel/backend";
import { startSidecar, type Sidecar, type SidecarOptions } from "../standins/agones-sidecar.ts";
import {
  startAllocationService,
  type AllocationService,
  type AllocationServiceOptions,
} from "../standins/allocation-service.ts";
import { until } from "./_server.ts";
import { recordTelemetry, type RecordingTelemetry } from "./_telemetry.ts";

/** A provider that records nothing: its ids are zeros. */
export const MUTE: TracerProvider = {
  getTracer: () => ({
    startSpan: () => trace.wrapSpanContext(INVALID_SPAN_CONTEXT),
    startActiveSpan: () => {
      throw new Error("nobody calls it");
    },
  }),
};

/** An allocation service with game servers behind it, and a provider before it. */
export interface Cluster extends AsyncDisposable {
  readonly service: AllocationService;
  readonly servers: readonly Sidecar[];
  readonly recorded: RecordingTelemetry;
  readonly provider: Provider;
  /** Connections between provider and service. */
  connections(): number;
  openSpans(): number;
  /** No span is open, and where the last call failed no connection either. */
  nothingOpen(): Promise<void>;
  /** Another provider of the same telemetry. */
  connect(options?: Partial<AgonesProviderOptions>): Provider;
  add(options?: SidecarOptions): Promise<Sidecar>;
}

export async function startCluster(
  states: readonly SidecarOptions["state"][] = ["Ready"],
  { tls }: Pick<AllocationServiceOptions, "tls"> = {},
  options: Loose<AgonesProviderOptions> = {},
): Promise<Cluster> {
  const stack = new AsyncDisposableStack();
  const service = stack.use(await startAllocationService(tls && { tls }));
  const wire = stack.use(await startWire(service.port));
  const recorded = recordTelemetry();
  const { tracerProvider, openSpans } = watchSpans(recorded.tracerProvider);
  const servers: Sidecar[] = [];
  const { meterProvider } = recorded;
  const connectTo = (more: Partial<AgonesProviderOptions> = {}) =>
    stack.use(
      agones({ endpoint: wire.endpoint, tracerProvider, meterProvider, ...options, ...more } as AgonesProviderOptions),
    );
  const add = async (sidecar: SidecarOptions = {}) => {
    const server = stack.use(await startSidecar({ name: `arena-${servers.length + 1}`, ...sidecar }));
    servers.push(server);
    service.register(server, { port: 7000 + servers.length });
    return server;
  };
  for (const state of states) {
    await add(state && { state });
  }
  const provider = connectTo();
  return {
    service,
    servers,
    recorded,
    provider,
    connections: wire.open,
    openSpans,
    nothingOpen: () => until("no open span or connection", () => openSpans() === 0 && wire.open() === 0),
    connect: connectTo,
    add,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** `undefined` for an option takes the recording one away. */
export type Loose<Options> = { readonly [Key in keyof Options]?: Options[Key] | undefined };

/** The error of an allocation that must fail. */
export async function failureOf(allocation: Promise<unknown>): Promise<AllocationError> {
  try {
    await allocation;
  } catch (error) {
    if (error instanceof AllocationError) {
      return error;
    }
    throw error;
  }
  throw new Error("there was a server");
}

interface Wire extends AsyncDisposable {
  readonly endpoint: string;
  open(): number;
}

/** A wire between client and service whose connections are counted: gRPC's own handles show up nowhere. */
async function startWire(port: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  // gRPC sends without delay: a wire that does not would cost 40 ms a call.
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: "127.0.0.1", noDelay: true });
    sockets.add(near);
    near.once("close", () => sockets.delete(near));
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.once("close", () => to.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: () => sockets.size,
    [Symbol.asyncDispose]: async () => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
    },
  };
}

/** The provider, and how many spans it has given that are still open. */
export function watchSpans(provider: TracerProvider): { readonly tracerProvider: TracerProvider; openSpans(): number } {
  const spans: Span[] = [];
  return {
    openSpans: () => spans.filter((span) => span.isRecording()).length,
    tracerProvider: {
      getTracer(...scope) {
        const tracer = provider.getTracer(...scope);
        const startSpan: typeof tracer.startSpan = (...args) => {
          const span = tracer.startSpan(...args);
          spans.push(span);
          return span;
        };
        return { startSpan, startActiveSpan: tracer.startActiveSpan.bind(tracer) };
      },
    },
  };
}
