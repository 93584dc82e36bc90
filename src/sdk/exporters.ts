import { warn } from "../internal/report.ts";
import { listFrom, numberFrom } from "./environment.ts";
import { SpanQueue } from "./span-queue.ts";

/** What a killed process may lose. */
const SEND_EVERY_MS = 1000;

/** A quarter of a megabyte of a receiver's four. At 256, the calls alone cost a join 8 us more; at 4096 nothing is won. */
const BATCH_SPANS = 1024;

/** Where spans wait to be sent over OTLP; none where OTEL_TRACES_EXPORTER asks for no traces. Set by OTEL_BSP_*. */
export function createSpanQueue(maxBytes: number, env: NodeJS.ProcessEnv): SpanQueue | undefined {
  if (!listFrom(env, "OTEL_TRACES_EXPORTER", ["otlp", "none"], ["otlp"]).includes("otlp")) {
    return undefined;
  }
  warnAboutProtocol(env);
  warnAboutQueueSize(env);
  return new SpanQueue({
    maxBytes,
    delay: numberFrom(env, "OTEL_BSP_SCHEDULE_DELAY", SEND_EVERY_MS),
    batchSpans: Math.max(1, numberFrom(env, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", BATCH_SPANS)),
  });
}

function warnAboutProtocol(env: NodeJS.ProcessEnv): void {
  const protocol = env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] || env["OTEL_EXPORTER_OTLP_PROTOCOL"] || "grpc";
  if (protocol !== "grpc") {
    warn(
      "otlp protocol",
      `OTEL_EXPORTER_OTLP_PROTOCOL="${protocol}" is not spoken here, OTLP goes over gRPC (port 4317 as a rule); for another one hand in spanProcessors`,
    );
  }
}

function warnAboutQueueSize(env: NodeJS.ProcessEnv): void {
  if (env["OTEL_BSP_MAX_QUEUE_SIZE"]) {
    warn(
      "otlp queue",
      "OTEL_BSP_MAX_QUEUE_SIZE counts spans and is not read: the queue is bounded by queueBytes of startTelemetry()",
    );
  }
}
