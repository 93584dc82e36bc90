import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from "@grpc/grpc-js";
import { traceService, type TraceRequest } from "../demo/receiver/wire.ts";

/** What the process is asked. */
export type ReceiverRequest = { readonly type: "receiver:ask" };

/** What it tells: where it listens, and how many spans of each name came so far. */
export type ReceiverReport =
  | { readonly type: "receiver:listening"; readonly endpoint: string }
  | { readonly type: "receiver:counts"; readonly counts: Readonly<Record<string, number>> };

const counts: Record<string, number> = {};
const server = new Server();
server.addService(traceService(), {
  Export(call: ServerUnaryCall<TraceRequest, object>, answer: sendUnaryData<object>) {
    count(call.request);
    answer(null, {});
  },
});
process.on("message", ({ type }: ReceiverRequest) => {
  if (type === "receiver:ask") tell({ type: "receiver:counts", counts });
});
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  tell({ type: "receiver:listening", endpoint: `http://127.0.0.1:${port}` });
});

function count({ resourceSpans }: TraceRequest): void {
  for (const { scopeSpans } of resourceSpans) {
    for (const { spans } of scopeSpans) {
      for (const { name = "" } of spans) counts[name] = (counts[name] ?? 0) + 1;
    }
  }
}

function tell(report: ReceiverReport): void {
  process.send?.(report);
}
