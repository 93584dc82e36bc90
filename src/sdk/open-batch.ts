import type { InstrumentationScope } from "@opentelemetry/core";
import { encodeScope, type EncodedScopeSpans, type Envelope } from "./otlp/request.ts";
import { createSpanChunk, type EncodableSpan, type SpanChunk } from "./otlp/span-chunk.ts";

/** Spans that leave in one request. */
export interface Batch {
  readonly scopes: readonly EncodedScopeSpans[];
  readonly bytes: number;
  readonly spans: number;
}

/** More scopes than a program has. One that makes them up as it goes begins anew. */
const MAX_SCOPES = 200;

/** The batch that spans are added to, in a chunk for each scope. */
export class OpenBatch {
  readonly #chunks = new Map<InstrumentationScope, { readonly scope: Envelope; readonly chunk: SpanChunk }>();
  spans = 0;
  bytes = 0;

  /** Encodes the span at once, so that nothing of the game is held. False where it cannot be encoded. */
  add(scope: InstrumentationScope, span: EncodableSpan): boolean {
    const { chunk } = this.#chunkOf(scope);
    const before = chunk.bytes;
    if (!chunk.append(span)) {
      return false;
    }
    this.spans += 1;
    this.bytes += chunk.bytes - before;
    return true;
  }

  /** What was added; the next batch begins. */
  take(): Batch {
    const scopes: EncodedScopeSpans[] = [];
    for (const { scope, chunk } of this.#chunks.values()) {
      if (chunk.count > 0) {
        scopes.push({ scope, spans: chunk.take() });
      }
    }
    if (this.#chunks.size > MAX_SCOPES) {
      this.#chunks.clear();
    }
    const { spans, bytes } = this;
    this.spans = 0;
    this.bytes = 0;
    return { scopes, spans, bytes };
  }

  #chunkOf(scope: InstrumentationScope): { readonly scope: Envelope; readonly chunk: SpanChunk } {
    let open = this.#chunks.get(scope);
    if (!open) {
      open = { scope: encodeScope(scope), chunk: createSpanChunk() };
      this.#chunks.set(scope, open);
    }
    return open;
  }
}
