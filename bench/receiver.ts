import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from "@grpc/grpc-js";
import { traceService, type TraceRequest } from "../demo/receiver/wire.ts";

/** What the process is asked. */
export interface ReceiverRequest {
  readonly type: "receiver:ask";
  readonly service: string;
}

/** How many spans came so far, by name. */
export type Counts = Readonly<Record<string, number>>;

/** What it tells: where it listens, and what came from one service. */
export type ReceiverReport =
  | { readonly type: "receiver:listening"; readonly endpoint: string }
  | { readonly type: `receiver:counts:${string}`; readonly counts: Counts };

const counts = new Map<string, Record<string, number>>();
const server = new Server();
server.addService(traceService(), {
  Export(call: ServerUnaryCall<TraceRequest, object>, answer: sendUnaryData<object>) {
    count(call.request);
    answer(null, {});
  },
});
process.on("message", ({ type, service }: ReceiverRequest) => {
  if (type === "receiver:ask") tell({ type: `receiver:counts:${service}`, counts: counts.get(service) ?? {} });
});
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  tell({ type: "receiver:listening", endpoint: `http://127.0.0.1:${port}` });
});

function count({ resourceSpans }: TraceRequest): void {
  for (const { resource, scopeSpans } of resourceSpans) {
    const named = resource?.attributes.find(({ key }) => key === "service.name")?.value?.stringValue ?? "";
    const ofService = counts.get(named) ?? {};
    counts.set(named, ofService);
    for (const { spans } of scopeSpans) {
      for (const { name = "" } of spans) ofService[name] = (ofService[name] ?? 0) + 1;
    }
  }
}

function tell(report: ReceiverReport): void {
  process.send?.(report);
}
