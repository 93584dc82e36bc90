import { readFileSync } from "node:fs";
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
  warnAboutFiles(env);
  const serializer = {
    serializeRequest: ({ bytes }: Request) => bytes,
    deserializeResponse: (response: Uint8Array) => sayRejected(response, endpoint),
  };
  const open = () =>
    createOtlpGrpcExportDelegate<Request, object>(
      convertLegacyOtlpGrpcOptions({}, "TRACES"),
      serializer,
      COMPONENT,
      { name: "span", countItems: ({ spans }) => spans },
      undefined,
      "TraceExportService",
      "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    );
  let delegate: ReturnType<typeof open>;
  try {
    delegate = open();
  } catch (error) {
    // An endpoint that is no URL. Spans are lost, told and counted; metrics go their own way.
    return {
      send: async (_bytes, spans) => failed({ again: false, reason: describe(error) }, spans, endpoint),
      close: async () => {},
    };
  }
  const send: Send = (bytes, spans) =>
    new Promise((resolve) => {
      delegate.export({ bytes, spans }, ({ code, error }) =>
        resolve(code === 0 ? undefined : failed({ again: mayCome(error), reason: describe(error) }, spans, endpoint)),
      );
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

function failed(failure: SendFailure, spans: number, endpoint: string): SendFailure {
  const fate = failure.again ? "are kept and sent again" : "are lost";
  warn(
    "otlp",
    `${spans} spans could not be sent to ${endpoint} (OTEL_EXPORTER_OTLP_ENDPOINT) and ${fate}: ${failure.reason}`,
  );
  return failure;
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

/** The transport tells it to `diag` alone, which nobody reads, and goes on without the file. */
function warnAboutFiles(env: NodeJS.ProcessEnv): void {
  for (const name of ["CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE"]) {
    const own = `OTEL_EXPORTER_OTLP_TRACES_${name}`;
    const variable = env[own]?.trim() ? own : `OTEL_EXPORTER_OTLP_${name}`;
    const file = env[variable]?.trim();
    if (file && !canRead(file)) {
      warn(
        variable,
        `${variable}="${file}" cannot be read: spans are sent without it, and a collector may refuse them`,
      );
    }
  }
}

function canRead(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}
