import type { sendUnaryData, ServerUnaryCall } from "@grpc/grpc-js";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { createWaiters } from "../../standins/waiters.ts";
import type { ReceivedMetric, ReceivedSpan } from "./spans.ts";
import { metricsOf, spansOf } from "./spans.ts";
import type { MetricsRequest, TraceRequest } from "./wire.ts";
import { metricsService, traceService } from "./wire.ts";

export type { ReceivedMetric, ReceivedSpan } from "./spans.ts";

export interface ReceiverOptions {
  /** @default 0: a free one, to be read from `endpoint` */
  readonly port?: number;
  /** How many spans, and how many metrics, are held; the oldest go first. @default Infinity */
  readonly keep?: number;
}

export interface Receiver extends AsyncDisposable {
  /** What goes into OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  /** Everything that came, in the order in which it came. */
  readonly spans: readonly ReceivedSpan[];
  /** One entry a metric and export: a later export of the same metric is added, and replaces nothing. */
  readonly metrics: readonly ReceivedMetric[];
  /**
   * Asks `predicate` now and after each export.
   * @param timeout in milliseconds, default 5,000
   * @throws Error that says what was waited for, and the names of the spans that came instead
   */
  waitFor(
    predicate: (spans: readonly ReceivedSpan[], metrics: readonly ReceivedMetric[]) => boolean,
    timeout?: number,
    what?: string,
  ): Promise<void>;
  close(): Promise<void>;
}

/**
 * Receives traces and metrics over OTLP/gRPC, and keeps them. A message over 4 MiB is refused, as the Collector does.
 * @throws Error when the port is taken
 */
export async function startReceiver({ port = 0, keep = Infinity }: ReceiverOptions = {}): Promise<Receiver> {
  const spans: ReceivedSpan[] = [];
  const metrics: ReceivedMetric[] = [];
  const waiters = createWaiters(() => summary(spans));
  const server = new Server();
  server.addService(traceService(), {
    Export: storing<TraceRequest>((request) => hold(spans, spansOf(request), keep), waiters.changed),
  });
  server.addService(metricsService(), {
    Export: storing<MetricsRequest>((request) => hold(metrics, metricsOf(request), keep), waiters.changed),
  });
  const bound = await listen(server, port);
  const close = (): Promise<void> => {
    waiters.abandon("the receiver was closed");
    server.forceShutdown();
    return Promise.resolve();
  };
  return {
    endpoint: `http://127.0.0.1:${bound}`,
    spans,
    metrics,
    waitFor: (predicate, timeout = 5_000, what = "spans") =>
      waiters.waitFor(() => predicate(spans, metrics), timeout, what),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function hold<Item>(held: Item[], more: readonly Item[], keep: number): void {
  held.push(...more);
  if (held.length > keep) held.splice(0, held.length - keep);
}

function storing<Request>(store: (request: Request) => void, changed: () => void) {
  return (call: ServerUnaryCall<Request, object>, answer: sendUnaryData<object>): void => {
    store(call.request);
    answer(null, {});
    changed();
  };
}

function summary(spans: readonly ReceivedSpan[]): string {
  const names = new Set(spans.map((span) => span.name));
  return `${spans.length} spans${spans.length > 0 ? ` (${[...names].sort().join(", ")})` : ""}`;
}

function listen(server: Server, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
    if (error) reject(new Error(`the OTLP receiver cannot listen on ${port}: ${error.message}`));
    else resolve(bound);
  });
  return promise;
}
