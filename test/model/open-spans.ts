import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";

/** Spans that were begun, and have not ended. */
export class OpenSpans implements SpanProcessor {
  readonly #open = new Map<string, string>();

  get names(): string[] {
    return [...this.#open.values()];
  }

  onStart(span: ReadableSpan): void {
    this.#open.set(span.spanContext().spanId, span.name);
  }

  onEnd(span: ReadableSpan): void {
    this.#open.delete(span.spanContext().spanId);
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}
