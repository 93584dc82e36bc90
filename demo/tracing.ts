import type { Tracer } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { SERVICES } from "./expected.ts";

/** The demo plays two services of a game's backend: each has its own provider, because a resource is a process's. */
export interface Backend extends AsyncDisposable {
  readonly matchmaker: Tracer;
  readonly login: Tracer;
  /** @throws Error when spans could not be handed over, now or since the start */
  flush(): Promise<void>;
}

/** @param endpoint `http://host:port` of an OTLP/gRPC receiver */
export function startBackend(endpoint: string): Backend {
  let failure: Error | undefined;
  const failed = (error: Error): void => void (failure ??= error);
  const matchmaker = provider(SERVICES.matchmaker, endpoint, failed);
  const login = provider(SERVICES.login, endpoint, failed);
  const both = [matchmaker, login];
  return {
    matchmaker: matchmaker.getTracer("colyseus-otel-demo"),
    login: login.getTracer("colyseus-otel-demo"),
    flush: async () => {
      await Promise.all(both.map((each) => each.forceFlush({ timeoutMillis: 3_000 }))).catch(failed);
      if (failure) throw new Error(`cannot export to ${endpoint}: ${failure.message}`, { cause: failure });
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
