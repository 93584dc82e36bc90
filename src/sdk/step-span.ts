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
import type { SamplingResult } from "@opentelemetry/sdk-trace";
import type { Step } from "../telling/step.ts";

/** Makes the live span behind a step's. */
export type MakeLive = (span: StepSpan) => Span;

/**
 * A step as the game finds it, by `trace.getActiveSpan()` inside its hook. A game that writes to it gets a live span of
 * the SDK behind it, with the same ids, so that limits, events and exceptions are the SDK's own. Few games do.
 */
export class StepSpan implements Span {
  readonly step: Step;
  readonly identity: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly sampled: SamplingResult;
  readonly #makeLive: MakeLive;
  #written: Span | undefined;

  constructor(
    step: Step,
    identity: SpanContext,
    parent: SpanContext | undefined,
    sampled: SamplingResult,
    makeLive: MakeLive,
  ) {
    this.step = step;
    this.identity = identity;
    this.parent = parent;
    this.sampled = sampled;
    this.#makeLive = makeLive;
  }

  /** The live span, where the game has written to it. */
  get written(): Span | undefined {
    return this.#written;
  }

  spanContext(): SpanContext {
    return this.identity;
  }

  isRecording(): boolean {
    return this.sampled.decision !== 0 && this.step.end === undefined;
  }

  setAttribute(key: string, value: AttributeValue): this {
    this.#live()?.setAttribute(key, value);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    this.#live()?.setAttributes(attributes);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    this.#live()?.addEvent(name, attributesOrTime, time);
    return this;
  }

  addLink(link: Link): this {
    this.#live()?.addLink(link);
    return this;
  }

  addLinks(links: Link[]): this {
    this.#live()?.addLinks(links);
    return this;
  }

  setStatus(status: SpanStatus): this {
    this.#live()?.setStatus(status);
    return this;
  }

  updateName(name: string): this {
    this.#live()?.updateName(name);
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    this.#live()?.recordException(exception, time);
  }

  /** The step ends it: a hook that has returned. */
  end(): void {}

  #live(): Span | undefined {
    return this.isRecording() ? (this.#written ??= this.#makeLive(this)) : undefined;
  }
}
