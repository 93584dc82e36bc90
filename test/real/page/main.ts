import { Client, type Room } from "@colyseus/sdk";
import * as otel from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { FetchInstrumentation } from "@opentelemetry/instrumentation-fetch";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  StackContextManager,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { withTraceContext, type TraceCarrier } from "colyseus-otel/client";

// A game's page. What the tests call in a browser is in `game`.

const exporter = new InMemorySpanExporter();
let client: Client;
let room: Room;

Object.assign(globalThis, {
  game: {
    at: (url: string) => void (client = new Client(url)),
    join: async (session?: TraceCarrier) => took(await client.joinOrCreate("arena", withTraceContext({}, session))),
    clickPlay: async () =>
      otel.trace.getTracer("page").startActiveSpan("click play", async (span) => {
        try {
          return took(await client.joinOrCreate("arena", withTraceContext({}, undefined, otel)));
        } finally {
          span.end();
        }
      }),
    /** The page's own OpenTelemetry. */
    telemetry() {
      otel.trace.setGlobalTracerProvider(
        new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
      );
      otel.context.setGlobalContextManager(new StackContextManager().enable());
      otel.propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    },
    /** Its fetch adds the trace headers to requests to any origin. */
    instrumentFetch: () => new FetchInstrumentation({ propagateTraceHeaderCorsUrls: /.*/, enabled: false }).enable(),
    spans: () => exporter.getFinishedSpans().map((span) => ({ name: span.name, spanId: span.spanContext().spanId })),
    /** By itself the SDK waits seconds for the way back, and only for players of five. */
    returnSoon: () =>
      void Object.assign(room.reconnection, {
        minUptime: 0,
        delay: 100,
        minDelay: 100,
        maxDelay: 100,
        maxRetries: 1000,
      }),
    returned: async () => new Promise<void>((resolve) => room.onReconnect.once(resolve)),
    leave: async () => room.leave(),
    leaveWithThePage: () => window.addEventListener("pagehide", () => void room.leave()),
  },
});

declare const window: { addEventListener(event: "pagehide", listener: () => void): void };

function took(joined: Room): string {
  room = joined;
  return joined.sessionId;
}
