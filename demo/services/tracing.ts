import type { TracerProvider as AnyTracerProvider } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { SERVICES } from "../expected-span.ts";

/** Two services in one process: each has its own provider, because a resource is a provider's. */
export interface Tracing extends AsyncDisposable {
  readonly login: AnyTracerProvider;
  readonly matchmaker: AnyTracerProvider;
  /** What kept spans from being handed over, now or since the start; undefined when all were. */
  flush(): Promise<string | undefined>;
}

/** @param endpoint `http://host:port` of an OTLP/gRPC receiver */
export function startTracing(endpoint: string): Tracing {
  let failure: string | undefined;
  const failed = (error: Error): void => void (failure ??= `cannot export to ${endpoint}: ${error.message}`);
  const login = provider(SERVICES.login, endpoint, failed);
  const matchmaker = provider(SERVICES.matchmaker, endpoint, failed);
  const both = [login, matchmaker];
  return {
    login,
    matchmaker,
    flush: async () => {
      await Promise.all(both.map((each) => each.forceFlush({ timeoutMillis: 3_000 }))).catch(failed);
      return failure;
    },
    // An endpoint that is away makes shutdown reject; flush() has said so by then.
    [Symbol.asyncDispose]: async () => void (await Promise.allSettled(both.map((each) => each.shutdown()))),
  };
}

function provider(service: string, endpoint: string, failed: (error: Error) => void): TracerProvider {
  const otlp = new OTLPTraceExporter({ url: endpoint, timeoutMillis: 2_000 });
  // The processor drops a batch that fails, and tells nobody but the diagnostics logger.
  const exporter: SpanExporter = {
    export: (spans, done) =>
      otlp.export(spans, (result) => {
        if (result.error) failed(result.error);
        done(result);
      }),
    shutdown: () => otlp.shutdown(),
    forceFlush: () => otlp.forceFlush(),
  };
  return new TracerProvider({
    resource: resourceFromAttributes({ "service.name": service }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: 200 })],
  });
}
