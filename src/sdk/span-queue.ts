import type { InstrumentationScope } from "@opentelemetry/core";
import { warn } from "../internal/report.ts";
import { OpenBatch, type Batch } from "./open-batch.ts";
import { encodeTraceRequest, type Envelope } from "./otlp/request.ts";
import type { EncodableSpan } from "./otlp/span-chunk.ts";

/** A failed send: `again` says whether it may succeed later. */
export interface SendFailure {
  readonly again: boolean;
  readonly reason: string;
}

/** Sends one request; undefined when it has arrived. Never rejects. */
export type Send = (request: Uint8Array, spans: number) => Promise<SendFailure | undefined>;

export interface SpanQueueOptions {
  /** What may wait, encoded. Over it the oldest is dropped. */
  readonly maxBytes: number;
  /** A span waits for others at most this long, in milliseconds. */
  readonly delay: number;
  /** Spans in one request. */
  readonly batchSpans: number;
}

interface Connection {
  readonly send: Send;
  readonly resource: Envelope;
}

/** Spans with very large attributes fill a request before their number does; gRPC receivers take 4 MiB. */
const BATCH_BYTES = 1 << 20;
const BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 5000;
/** While somebody waits for a flush. */
const HURRY_MS = 200;

/**
 * Encoded spans on their way out, one request at a time. A batch that failed stays first and is sent again: the SDK's
 * processor would have lost it.
 */
export class SpanQueue {
  readonly #options: SpanQueueOptions;
  readonly #open = new OpenBatch();
  #batches: Batch[] = [];
  #bytes = 0;
  #sending = false;
  #everSent = false;
  #failures = 0;
  #connection: Connection | undefined;
  #closed = false;
  #sealTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #flushes: { readonly last: Batch; readonly done: () => void }[] = [];
  /** Since the start, exactly. */
  readonly counts: { sent: number; dropped: number; rejected: number; unencodable: number } = {
    sent: 0,
    dropped: 0,
    rejected: 0,
    unencodable: 0,
  };

  constructor(options: SpanQueueOptions) {
    this.#options = options;
  }

  /** Spans that wait, those on their way among them. */
  get size(): number {
    return this.#batches.reduce((sum, { spans }) => sum + spans, this.#open.spans);
  }

  /** What they take, encoded. */
  get bytes(): number {
    return this.#bytes + this.#open.bytes;
  }

  /** Takes an ended span. */
  add(scope: InstrumentationScope, span: EncodableSpan): void {
    // instrument() may outlive the SDK: what it goes on to tell would fill queueBytes for nobody.
    if (this.#closed) {
      return;
    }
    if (!this.#open.add(scope, span)) {
      this.counts.unencodable += 1;
      warn(
        "encode",
        `a span "${span.name}" could not be encoded and is lost: an attribute throws when read, an id is malformed, or it is over 2 MiB`,
      );
    } else if (this.#open.spans >= this.#options.batchSpans || this.#open.bytes >= BATCH_BYTES) {
      this.#seal();
    } else {
      this.#sealTimer ??= setTimeout(() => this.#seal(), this.#options.delay).unref();
    }
  }

  /** From now on it sends, what has waited first. */
  connect(send: Send, resource: Envelope): void {
    this.#connection = { send, resource };
    this.#pump();
  }

  /**
   * Resolves when all that waits now has left, or was lost; or at the first failure where no request has ever arrived: a
   * developer without a collector does not wait for one at each exit.
   */
  flush(): Promise<void> {
    this.#seal();
    const last = this.#batches.at(-1);
    if (!last) {
      return Promise.resolve();
    }
    return new Promise((done) => {
      this.#flushes.push({ last, done });
      this.#retryNow();
    });
  }

  /** Stops for good. What still waits is lost, and what comes later. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#sealTimer);
    clearTimeout(this.#retryTimer);
    this.#open.take();
    this.#batches.splice(this.#sending ? 1 : 0).forEach((batch) => this.#forget(batch));
  }

  #seal(): void {
    clearTimeout(this.#sealTimer);
    this.#sealTimer = undefined;
    if (this.#open.spans === 0) {
      return;
    }
    const batch = this.#open.take();
    this.#batches.push(batch);
    this.#bytes += batch.bytes;
    this.#makeRoom();
    this.#pump();
  }

  /** Drops the oldest over the bound, never the one that is on its way. */
  #makeRoom(): void {
    const first = this.#sending ? 1 : 0;
    while (this.#bytes > this.#options.maxBytes && this.#batches.length > first) {
      const [dropped] = this.#batches.splice(first, 1);
      this.counts.dropped += dropped!.spans;
      this.#forget(dropped!);
      warn(
        "queue full",
        `${dropped!.spans} spans were dropped, the oldest first (${this.counts.dropped} so far): the collector is away and queueBytes is ${this.#options.maxBytes}`,
      );
    }
  }

  #forget(batch: Batch): void {
    this.#bytes -= batch.bytes;
    const gone = this.#flushes.filter(({ last }) => last === batch);
    this.#flushes = this.#flushes.filter(({ last }) => last !== batch);
    gone.forEach(({ done }) => done());
  }

  #pump(): void {
    const batch = this.#batches[0];
    if (this.#connection && batch && !this.#sending && !this.#retryTimer) {
      void this.#sendFirst(this.#connection, batch);
    }
  }

  async #sendFirst({ send, resource }: Connection, batch: Batch): Promise<void> {
    this.#sending = true;
    const failure = await send(encodeTraceRequest(resource, batch.scopes), batch.spans);
    this.#sending = false;
    if (failure?.again && !this.#closed) {
      this.#failed();
      return;
    }
    this.#batches.shift();
    this.#failures = 0;
    this.#everSent = true;
    this.counts[failure ? "rejected" : "sent"] += batch.spans;
    this.#forget(batch);
    this.#pump();
  }

  #failed(): void {
    this.#failures += 1;
    if (!this.#everSent) {
      this.#flushes.splice(0).forEach(({ done }) => done());
    }
    const backoff = Math.min(BACKOFF_MS * 2 ** (this.#failures - 1), LONGEST_BACKOFF_MS) * (0.8 + Math.random() * 0.4);
    this.#retryTimer = setTimeout(() => this.#retryNow(), this.#flushes.length > 0 ? HURRY_MS : backoff).unref();
  }

  #retryNow(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#pump();
  }
}
