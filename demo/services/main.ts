import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { allocatorOf } from "./allocators.ts";
import { serveBackend } from "./http.ts";
import { openBackend } from "./backend.ts";
import { startTracing } from "./tracing.ts";

/** What the process is asked. */
export type ServicesRequest = { readonly type: "services:flush" };

/** What the process tells: where it listens, and on each question whether all its spans have left, or why not. */
export type ServicesReport =
  | { readonly type: "services:listening"; readonly url: string }
  | { readonly type: "services:flushed"; readonly failure: string | undefined };

function tell(report: ServicesReport): void {
  process.send?.(report);
}

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const stack = new AsyncDisposableStack();
const tracing = stack.use(startTracing(process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] || "http://127.0.0.1:4317"));
const allocator = stack.use(allocatorOf(process.env, tracing));
const backend = openBackend(tracing, allocator, process.env["ARENA_REUSE"] === "1");
const { url } = stack.use(await serveBackend(backend));

process.on("message", ({ type }: ServicesRequest) => {
  if (type === "services:flush") void tracing.flush().then((failure) => tell({ type: "services:flushed", failure }));
});
process.once("SIGTERM", () => void stack.disposeAsync().then(() => process.exit(0)));
tell({ type: "services:listening", url });
