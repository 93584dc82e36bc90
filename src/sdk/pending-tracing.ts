import {
  context as contextApi,
  isSpanContextValid,
  SpanKind,
  trace,
  TraceFlags,
  type Context,
  type Span,
  type SpanContext,
  type SpanOptions,
  type Tracer,
  type TracerOptions,
  type TracerProvider,
} from "@opentelemetry/api";
import type { IdGenerator, Sampler, SamplingResult } from "@opentelemetry/sdk-trace";
import { hrTime, now } from "../internal/clock.ts";
import { guard, warn } from "../internal/report.ts";
import { PendingSpan } from "./pending-span.ts";
import { randomId } from "./random-id.ts";

const MAX_PENDING = 10_000;

/** Ids that were handed out, and what the sampler said when they were. */
export interface Identity {
  readonly spanContext: SpanContext;
  readonly sampled: SamplingResult;
}

interface Pending extends Identity {
  readonly span: PendingSpan;
  start(provider: TracerProvider): Span;
}

type Scope = Parameters<TracerProvider["getTracer"]>;

/**
 * The tracer provider that is registered at once: spans get ids, flags and true times before the SDK is loaded, and the
 * sampler is asked once. After the replay it hands on to the SDK's.
 */
export class PendingTracerProvider implements TracerProvider {
  #sampler: Sampler;
  readonly #pending: Pending[] = [];
  #replaying: Identity | undefined;
  #real: TracerProvider | undefined;

  constructor(sampler: Sampler) {
    this.#sampler = sampler;
  }

  /** For the SDK's provider: a replayed span gets the ids that it has already. */
  readonly idGenerator: IdGenerator = {
    generateTraceId: () => this.#replaying?.spanContext.traceId ?? randomId(16),
    generateSpanId: () => this.#replaying?.spanContext.spanId ?? randomId(8),
  };

  /** The sampler that is asked. */
  get asked(): Sampler {
    return this.#sampler;
  }

  /** Asked from now on, in place of the first one. */
  askInstead(sampler: Sampler): void {
    this.#sampler = sampler;
  }

  /** For the SDK's provider: a replayed span keeps the answer that the sampler gave when it was started. */
  get sampler(): Sampler {
    const sampler = this.#sampler;
    return {
      shouldSample: (context, traceId, name, kind, attributes, links) =>
        this.#replaying?.sampled ?? sampler.shouldSample(context, traceId, name, kind, attributes, links),
      toString: () => sampler.toString(),
    };
  }

  /** Replays what was held back, in the order in which it was started. */
  replayInto(real: TracerProvider): void {
    for (const pending of this.#pending.splice(0)) {
      // A processor that throws at one span costs none of the others.
      guard("replay", () => pending.span.replayInto(this.#startAs(pending, () => pending.start(real))));
    }
    this.#real = real;
  }

  /** A live span with ids that were given out before, of the SDK or, until that is loaded, held back like every other. */
  adopt(identity: Identity, scope: Scope, name: string, options: SpanOptions, parent: Context): Span {
    const real = this.#real;
    return real
      ? this.#startAs(identity, () => real.getTracer(...scope).startSpan(name, options, parent))
      : this.#hold(identity, (provider) => provider.getTracer(...scope).startSpan(name, options, parent));
  }

  #startAs(identity: Identity, start: () => Span): Span {
    this.#replaying = identity;
    try {
      return start();
    } finally {
      this.#replaying = undefined;
    }
  }

  getTracer(name: string, version?: string, options?: TracerOptions): Tracer {
    return this.#real?.getTracer(name, version, options) ?? this.#pendingTracer(name, version, options);
  }

  #pendingTracer(...scope: Scope): Tracer {
    let real: Tracer | undefined;
    const startSpan = (name: string, options: SpanOptions = {}, context: Context = contextApi.active()): Span => {
      real ??= this.#real?.getTracer(...scope);
      return real ? real.startSpan(name, options, context) : this.#start(scope, name, options, context);
    };
    return { startSpan, startActiveSpan: activeSpanStarter(startSpan) };
  }

  #start(scope: Scope, name: string, given: SpanOptions, context: Context): Span {
    const parentContext = given.root ? trace.deleteSpan(context) : context;
    const parent = validParent(parentContext);
    const traceId = parent?.traceId ?? randomId(16);
    const options = { ...given, attributes: { ...given.attributes }, startTime: given.startTime ?? hrTime(now()) };
    const kind = options.kind ?? SpanKind.INTERNAL;
    const sampled = this.#sampler.shouldSample(
      parentContext,
      traceId,
      name,
      kind,
      options.attributes,
      options.links ?? [],
    );
    const traceState = sampled.traceState ?? parent?.traceState;
    const spanContext: SpanContext = {
      traceId,
      spanId: randomId(8),
      traceFlags: sampled.decision === 2 ? TraceFlags.SAMPLED : TraceFlags.NONE,
      ...(traceState && { traceState }),
    };
    if (sampled.decision === 0) {
      return trace.wrapSpanContext(spanContext);
    }
    return this.#hold({ spanContext, sampled }, (provider) =>
      provider.getTracer(...scope).startSpan(name, options, parentContext),
    );
  }

  #hold(identity: Identity, start: Pending["start"]): Span {
    if (this.#pending.length >= MAX_PENDING) {
      warn("pending spans", `more than ${MAX_PENDING} spans before the SDK was loaded: the rest of them is lost`);
      return trace.wrapSpanContext(identity.spanContext);
    }
    const span = new PendingSpan(identity.spanContext);
    this.#pending.push({ ...identity, span, start });
    return span;
  }
}

type StartSpan = (name: string, options?: SpanOptions, context?: Context) => Span;

/** The API's three forms: (name, fn), (name, options, fn), (name, options, context, fn). */
function activeSpanStarter(startSpan: StartSpan): Tracer["startActiveSpan"] {
  return <F extends (span: Span) => unknown>(name: string, ...rest: unknown[]): ReturnType<F> => {
    const run = rest.pop() as F;
    const [options, context = contextApi.active()] = rest as [SpanOptions?, Context?];
    const span = startSpan(name, options, context);
    return contextApi.with(trace.setSpan(context, span), run as (span: Span) => ReturnType<F>, undefined, span);
  };
}

function validParent(context: Context): SpanContext | undefined {
  const parent = trace.getSpanContext(context);
  return parent && isSpanContextValid(parent) ? parent : undefined;
}
