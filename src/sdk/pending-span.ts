import type {
  Attributes,
  AttributeValue,
  Exception,
  Link,
  Span,
  SpanContext,
  SpanStatus,
  TimeInput,
} from "@opentelemetry/api";
import { hrTime, now } from "../internal/clock.ts";

type Operation = (span: Span) => void;

/**
 * A span that was started before the SDK was loaded. It has its ids already, keeps what is done to it, and once replayed
 * hands everything on.
 */
export class PendingSpan implements Span {
  readonly #spanContext: SpanContext;
  #operations: Operation[] = [];
  #ended = false;
  #real: Span | undefined;

  constructor(spanContext: SpanContext) {
    this.#spanContext = spanContext;
  }

  /** Goes on as this span of the SDK, which has the same ids. */
  replayInto(real: Span): void {
    this.#real = real;
    for (const operation of this.#operations) {
      operation(real);
    }
    this.#operations = [];
  }

  spanContext(): SpanContext {
    return this.#spanContext;
  }

  isRecording(): boolean {
    return this.#real ? this.#real.isRecording() : !this.#ended;
  }

  setAttribute(key: string, value: AttributeValue): this {
    return this.#do((span) => span.setAttribute(key, value));
  }

  setAttributes(attributes: Attributes): this {
    const copy = { ...attributes };
    return this.#do((span) => span.setAttributes(copy));
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    const at = time ?? (isTime(attributesOrTime) ? attributesOrTime : hrTime(now()));
    const attributes = isTime(attributesOrTime) ? undefined : { ...attributesOrTime };
    return this.#do((span) => span.addEvent(name, attributes, at));
  }

  addLink(link: Link): this {
    return this.#do((span) => span.addLink(link));
  }

  addLinks(links: Link[]): this {
    return this.#do((span) => span.addLinks(links));
  }

  setStatus(status: SpanStatus): this {
    return this.#do((span) => span.setStatus(status));
  }

  updateName(name: string): this {
    return this.#do((span) => span.updateName(name));
  }

  recordException(exception: Exception, time: TimeInput = hrTime(now())): void {
    this.#do((span) => span.recordException(exception, time));
  }

  end(endTime: TimeInput = hrTime(now())): void {
    this.#do((span) => span.end(endTime));
    this.#ended = true;
  }

  #do(operation: Operation): this {
    if (this.#real) {
      operation(this.#real);
    } else if (!this.#ended) {
      this.#operations.push(operation);
    }
    return this;
  }
}

function isTime(value: Attributes | TimeInput | undefined): value is TimeInput {
  return typeof value === "number" || value instanceof Date || Array.isArray(value);
}
