// As the README of @opentelemetry/sdk-node has it: a file that --import loads before the program.
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK({ traceExporter: new OTLPTraceExporter(), metricReaders: [] });
sdk.start();
process.once("SIGTERM", () => void sdk.shutdown());
