import { INVALID_SPANID, INVALID_TRACEID, SpanKind, SpanStatusCode, type SpanContext } from "@opentelemetry/api";
import type { Sampler, SamplingResult } from "@opentelemetry/sdk-trace";
import { ATTRIBUTES, SCOPE } from "../conventions.ts";
import { hrTime } from "../internal/clock.ts";
import { endSpan, openedParent, parentContext, spanOptions, toLink } from "../telling/spans.ts";
import { nameOf, type Lane, type Step, type StepEvent } from "../telling/step.ts";
import type { EncodableSpan } from "./otlp/span-chunk.ts";
import type { PendingTracerProvider } from "./pending-tracing.ts";
import { randomId } from "./random-id.ts";
import { DECIDE, type HeadSampler } from "./sampler.ts";
import type { SpanQueue } from "./span-queue.ts";
import { StepSpan } from "./step-span.ts";

const NONE: never[] = [];
const UNSET = { code: SpanStatusCode.UNSET } as const;
const SCOPE_OF_TRACER = [SCOPE.name, SCOPE.version] as const;

/**
 * The fast lane: a step is a plain record until it ends, then it is encoded at once. All that we add to a join is half of
 * what it is with live spans and their way through the SDK's processor, exporter and serializer (docs/performance.md).
 */
export function createFastLane(tracing: PendingTracerProvider, queue: SpanQueue): Lane {
  const lane: Lane = {
    open(step) {
      if (step.live) {
        return;
      }
      const parent = valid(openedParent(lane, step));
      const traceId = parent?.traceId ?? randomId(16);
      const sampled = ask(tracing.asked, step, parent, traceId);
      const traceState = sampled.traceState ?? parent?.traceState;
      const traceFlags = sampled.decision === 2 ? 1 : 0;
      const spanId = randomId(8);
      step.spanContext = traceState ? { traceId, spanId, traceFlags, traceState } : { traceId, spanId, traceFlags };
      step.openedFor = step.target;
      step.live = new StepSpan(step, step.spanContext, parent, sampled, makeLive);
    },
    close(step) {
      lane.open(step);
      const span = step.live as StepSpan;
      if (span.written) {
        endSpan(span.written, step);
      } else if (span.sampled.decision === 2) {
        queue.add(SCOPE, encodable(span));
      }
    },
  };
  const makeLive = (span: StepSpan) =>
    tracing.adopt(
      { spanContext: span.identity, sampled: span.sampled },
      [...SCOPE_OF_TRACER],
      nameOf(span.step),
      spanOptions(span.step),
      parentContext(span.parent),
    );
  return lane;
}

function ask(
  sampler: Sampler | HeadSampler,
  step: Step,
  parent: SpanContext | undefined,
  traceId: string,
): SamplingResult {
  if (DECIDE in sampler) {
    return sampler[DECIDE](parent, traceId);
  }
  const { kind, attributes = {}, links = NONE } = spanOptions(step);
  const sampled = sampler.shouldSample(parentContext(parent), traceId, nameOf(step), kind!, attributes, links);
  Object.assign(step.attributes, sampled.attributes);
  return sampled;
}

/** One for all: it is encoded before the next one comes, and 370 bytes each, nine times a join, are what gc feels. */
const encoded: Mutable<EncodableSpan> & { identity: SpanContext | undefined } = {
  name: "",
  kind: SpanKind.INTERNAL,
  identity: undefined,
  spanContext() {
    return encoded.identity!;
  },
  parentSpanContext: undefined,
  startTime: [0, 0],
  endTime: [0, 0],
  attributes: {},
  links: NONE,
  events: NONE,
  status: UNSET,
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
  droppedLinksCount: 0,
};

type Mutable<T> = { -readonly [key in keyof T]: T[key] };

function encodable({ step, identity, parent }: StepSpan): EncodableSpan {
  const { attributes, result, failure } = step;
  for (const key in result) {
    if (result[key] !== undefined) {
      attributes[key] = result[key];
    }
  }
  if (failure) {
    attributes[ATTRIBUTES.errorType.key] = failure.type;
  }
  encoded.name = nameOf(step);
  encoded.kind = step.inner ? SpanKind.INTERNAL : step.span.kind;
  encoded.identity = identity;
  encoded.parentSpanContext = parent;
  hrTime(step.start, encoded.startTime);
  hrTime(step.end ?? step.start, encoded.endTime);
  encoded.attributes = attributes;
  encoded.links = step.links.length === 0 ? NONE : step.links.map(toLink);
  encoded.events = step.events.length === 0 ? NONE : step.events.map(toEvent);
  encoded.status =
    failure && !failure.expected ? { code: SpanStatusCode.ERROR, message: failure.message ?? failure.type } : UNSET;
  return encoded;
}

function toEvent({ name, at, attributes }: StepEvent): EncodableSpan["events"][number] {
  return { name, time: hrTime(at), attributes, droppedAttributesCount: 0 };
}

/** Not the API's whole check: contexts from outside were checked by their carrier, all others are an SDK's. */
function valid(parent: SpanContext | undefined): SpanContext | undefined {
  return parent && parent.traceId !== INVALID_TRACEID && parent.spanId !== INVALID_SPANID ? parent : undefined;
}
