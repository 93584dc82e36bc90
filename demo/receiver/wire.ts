import { fileURLToPath } from "node:url";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

export function traceService(): ServiceDefinition {
  return service("trace.proto", "opentelemetry.proto.collector.trace.v1.TraceService");
}

export function metricsService(): ServiceDefinition {
  return service("metrics.proto", "opentelemetry.proto.collector.metrics.v1.MetricsService");
}

function service(file: string, name: string): ServiceDefinition {
  const definitions = loadSync(file, {
    includeDirs: [fileURLToPath(new URL("./otlp", import.meta.url))],
    longs: String,
    arrays: true,
    oneofs: true,
  });
  return definitions[name] as ServiceDefinition;
}

export interface TraceRequest {
  readonly resourceSpans: readonly {
    readonly resource?: WireResource;
    readonly scopeSpans: readonly {
      readonly scope?: { readonly name?: string; readonly version?: string };
      readonly spans: readonly WireSpan[];
    }[];
  }[];
}

export interface MetricsRequest {
  readonly resourceMetrics: readonly {
    readonly resource?: WireResource;
    readonly scopeMetrics: readonly { readonly metrics: readonly WireMetric[] }[];
  }[];
}

type PointKind = "gauge" | "sum" | "histogram" | "exponentialHistogram" | "summary";

type WireMetric = { readonly name?: string; readonly unit?: string; readonly data?: PointKind } & {
  readonly [kind in PointKind]?: { readonly dataPoints: readonly object[] };
};

export interface WireSpan {
  readonly traceId?: Uint8Array;
  readonly spanId?: Uint8Array;
  readonly parentSpanId?: Uint8Array;
  readonly name?: string;
  readonly kind?: number;
  readonly startTimeUnixNano?: string;
  readonly endTimeUnixNano?: string;
  readonly attributes: readonly KeyValue[];
  readonly events: readonly { name?: string; timeUnixNano?: string; attributes: readonly KeyValue[] }[];
  readonly links: readonly { traceId?: Uint8Array; spanId?: Uint8Array; attributes: readonly KeyValue[] }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

interface WireResource {
  readonly attributes: readonly KeyValue[];
}

export interface KeyValue {
  readonly key?: string;
  readonly value?: AnyValue;
}

export interface AnyValue {
  readonly value?:
    | "stringValue"
    | "boolValue"
    | "intValue"
    | "doubleValue"
    | "arrayValue"
    | "kvlistValue"
    | "bytesValue";
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values: readonly KeyValue[] };
  readonly bytesValue?: Uint8Array;
}
