import { Server, ServerCredentials, type Metadata, type sendUnaryData, type ServerUnaryCall } from "@grpc/grpc-js";
import { onTestFinished } from "vitest";
import { traceService, type TraceRequest, type WireSpan } from "../demo/receiver/wire.ts";
import { fieldsOf } from "../src/internal/protobuf.ts";
import type { Certificate } from "./_certificates.ts";

export type ExportedSpan = WireSpan & { readonly traceState: string };

export interface OtlpRequest {
  readonly metadata: Metadata;
  readonly spans: readonly ExportedSpan[];
}

export interface OtlpServer {
  readonly port: number;
  /** Every request that it ever got, as it came over the wire. */
  readonly requests: readonly OtlpRequest[];
  spans(): ExportedSpan[];
}

/** An error or a response; undefined never answers. */
export type OtlpAnswer = { readonly error?: object; readonly response?: object } | undefined;

/** A real OTLP/gRPC server that answers as told, until the test is over. */
export async function startOtlpServer(
  answer: () => OtlpAnswer = () => ({}),
  certificate?: Certificate,
): Promise<OtlpServer> {
  const requests: OtlpRequest[] = [];
  const server = new Server();
  const { Export } = traceService();
  const requestDeserialize = (bytes: Buffer) => exportedSpans(Export!.requestDeserialize(bytes) as TraceRequest, bytes);
  server.addService(
    { Export: { ...Export!, requestDeserialize } },
    {
      Export({ request, metadata }: ServerUnaryCall<readonly ExportedSpan[], object>, reply: sendUnaryData<object>) {
        requests.push({ metadata, spans: request });
        const given = answer();
        if (given) {
          reply(given.error ?? null, given.response ?? {});
        }
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", credentialsOf(certificate), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  onTestFinished(() => server.forceShutdown());
  return { port, requests, spans: () => requests.flatMap(({ spans }) => spans) };
}

function credentialsOf(certificate: Certificate | undefined): ServerCredentials {
  return certificate
    ? ServerCredentials.createSsl(null, [
        { cert_chain: Buffer.from(certificate.cert), private_key: Buffer.from(certificate.key) },
      ])
    : ServerCredentials.createInsecure();
}

/** The receiver's proto knows no trace state: field 3 of each span, in its order. */
function exportedSpans({ resourceSpans }: TraceRequest, bytes: Buffer): ExportedSpan[] {
  const inner = (number: number) => (outer: Buffer) =>
    [...fieldsOf(outer)].flatMap((field) =>
      field.number === number && Buffer.isBuffer(field.value) ? [field.value] : [],
    );
  const raw = inner(1)(bytes).flatMap(inner(2)).flatMap(inner(2));
  return resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)
    .map((span, at) => ({ ...span, traceState: inner(3)(raw[at]!).join() }));
}
