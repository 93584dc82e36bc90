import { describe, warn } from "../internal/report.ts";
import { readPartialSuccess } from "./otlp/response.ts";
import type { Send, SendFailure } from "./span-queue.ts";

interface Request {
  readonly bytes: Uint8Array;
  readonly spans: number;
}

/** The official exporter's name for itself, in its own metrics. */
const COMPONENT = "otlp_grpc_span_exporter";

/** Codes after which the same request may succeed, as https://opentelemetry.io/docs/specs/otlp/#failures has them. */
const AGAIN = new Set([1, 4, 10, 11, 14, 15]);
const RESOURCE_EXHAUSTED = 8;

/** Sends by the official OTLP/gRPC transport: TLS, headers, compression and time-out are its own, set by OTEL_EXPORTER_OTLP_*. */
export async function openOtlpGrpc(env: NodeJS.ProcessEnv): Promise<{ readonly send: Send; close(): Promise<void> }> {
  const { convertLegacyOtlpGrpcOptions, createOtlpGrpcExportDelegate } =
    await import("@opentelemetry/otlp-grpc-exporter-base");
  const endpoint = endpointOf(env);
  const serializer = {
    serializeRequest: ({ bytes }: Request) => bytes,
    deserializeResponse: (response: Uint8Array) => sayRejected(response, endpoint),
  };
  const delegate = createOtlpGrpcExportDelegate<Request, object>(
    convertLegacyOtlpGrpcOptions({}, "TRACES"),
    serializer,
    COMPONENT,
    { name: "span", countItems: ({ spans }) => spans },
    undefined,
    "TraceExportService",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  );
  const send: Send = (bytes, spans) =>
    new Promise((resolve) => {
      delegate.export({ bytes, spans }, ({ code, error }) => {
        const failure = code === 0 ? undefined : { again: mayCome(error), reason: describe(error) };
        if (failure) {
          sayFailed(failure, spans, endpoint);
        }
        resolve(failure);
      });
    });
  return { send, close: () => delegate.shutdown() };
}

function mayCome(error: unknown): boolean {
  const { code, metadata } = (error ?? {}) as { code?: unknown; metadata?: { get?(key: string): unknown[] } };
  if (code === RESOURCE_EXHAUSTED) {
    // Only with RetryInfo among its details: without it the request is too large, and always will be.
    return (metadata?.get?.("grpc-status-details-bin") ?? []).length > 0;
  }
  return typeof code !== "number" || AGAIN.has(code);
}

function sayFailed({ again, reason }: SendFailure, spans: number, endpoint: string): void {
  const fate = again ? "are kept and sent again" : "are lost";
  warn("otlp", `${spans} spans could not be sent to ${endpoint} (OTEL_EXPORTER_OTLP_ENDPOINT) and ${fate}: ${reason}`);
}

/** The collector has taken the request, and has thrown some of it away. */
function sayRejected(response: Uint8Array, endpoint: string): object {
  const { rejected, message } = readPartialSuccess(response);
  if (rejected > 0 || message !== "") {
    warn("otlp rejected", `the collector at ${endpoint} has rejected ${rejected} spans: ${message}`);
  }
  return {};
}

function endpointOf(env: NodeJS.ProcessEnv): string {
  return env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] || env["OTEL_EXPORTER_OTLP_ENDPOINT"] || "http://localhost:4317";
}
