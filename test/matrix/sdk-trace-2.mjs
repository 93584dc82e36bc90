// @opentelemetry/sdk-trace-node 2.12, written as sdk-trace writes it: processors take one object, and the provider has
// no Node in its name.
import * as node from "@opentelemetry/sdk-trace-node";

export { InMemorySpanExporter, NodeTracerProvider as TracerProvider } from "@opentelemetry/sdk-trace-node";

export class SimpleSpanProcessor extends node.SimpleSpanProcessor {
  constructor({ exporter }) {
    super(exporter);
  }
}

export class BatchSpanProcessor extends node.BatchSpanProcessor {
  constructor({ exporter, ...config }) {
    super(exporter, config);
  }
}
