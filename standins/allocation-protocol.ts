import { fileURLToPath } from "node:url";
import type { sendUnaryData, ServerUnaryCall, ServiceDefinition } from "@grpc/grpc-js";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const allocationService = loadSync(fileURLToPath(new URL("./allocation.proto", import.meta.url)), {
  defaults: true,
  enums: String,
})["allocation.AllocationService"] as ServiceDefinition;

type StringMap = Readonly<Record<string, string>>;

export interface AllocationRequest {
  readonly namespace: string;
  readonly metadata: { readonly labels: StringMap; readonly annotations: StringMap } | null;
  readonly gameServerSelectors: readonly {
    readonly matchLabels: StringMap;
    readonly gameServerState: "READY" | "ALLOCATED";
  }[];
}

export interface AllocationResponse {
  readonly gameServerName: string;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly address: string;
  readonly nodeName: string;
  readonly source: string;
  readonly metadata: { readonly labels: StringMap; readonly annotations: StringMap };
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
}

/** PEM. With `clientCa` a client must show a certificate of that authority. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
}

export type AnswerCall = (call: ServerUnaryCall<AllocationRequest, object>, send: sendUnaryData<object>) => void;

type Bound = Server & { readonly port: number };

/** @throws Error when the port is taken */
export function serve(tls: ServerTls | undefined, port: number, answer: AnswerCall): Promise<Bound> {
  const server = new Server();
  server.addService(allocationService, { Allocate: answer });
  const { promise, resolve, reject } = Promise.withResolvers<Bound>();
  server.bindAsync(`127.0.0.1:${port}`, credentials(tls), (error, bound) => {
    if (error) reject(new Error(`the allocation stand-in cannot listen on ${port}: ${error.message}`));
    else resolve(Object.assign(server, { port: bound }));
  });
  return promise;
}

function credentials(tls: ServerTls | undefined): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) };
  const clientCa = tls.clientCa === undefined ? null : Buffer.from(tls.clientCa);
  return ServerCredentials.createSsl(clientCa, [pair], clientCa !== null);
}
