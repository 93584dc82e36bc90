// An OTLP/gRPC receiver that can be killed: what it took is on disk before it answers.
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from "@grpc/grpc-js";
import { appendFileSync } from "node:fs";
import { traceService, type TraceRequest } from "../../demo/receiver/wire.ts";

const [file = "", port = "0"] = process.argv.slice(2);
let takenAt = 0;
const server = new Server();
server.addService(traceService(), {
  Export(call: ServerUnaryCall<TraceRequest, object>, answer: sendUnaryData<object>) {
    const spans = call.request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
    const told = spans.map(({ name, spanId }) => [name, Buffer.from(spanId ?? []).toString("hex")]);
    appendFileSync(file, `${JSON.stringify(told)}\n`);
    takenAt = performance.now();
    answer(null, {});
  },
});
server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
  if (error) {
    throw error;
  }
  process.send?.({ type: "receiver:listening", port: bound });
});

/** Longer than an answer is on its way: a request that is taken and never answered comes again, as it must. */
const SILENCE_MS = 100;

process.on("message", (message: { readonly type?: string }) => {
  if (message.type === "receiver:die") {
    setInterval(() => {
      if (performance.now() - takenAt > SILENCE_MS) {
        process.kill(process.pid, "SIGKILL");
      }
    }, 5);
  }
});
process.on("disconnect", () => process.exit());
