import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  type SpanOptions,
  type Tracer,
} from "@opentelemetry/api";
import { ATTRIBUTES } from "../conventions.ts";
import { hrTime } from "../internal/clock.ts";
import { nameOf, type Lane, type Step, type StepLink } from "./step.ts";

const NO_LINKS: Link[] = [];

/** The standard lane: live spans of the provider that the program has. Ids, sampling and `onStart` are the provider's. */
export function createSpanLane(tracer: Tracer): Lane {
  const lane: Lane = {
    open(step) {
      if (step.live) {
        return;
      }
      const parent = openedParent(lane, step);
      const span = tracer.startSpan(nameOf(step), spanOptions(step), parentContext(parent));
      step.openedFor = step.target;
      step.spanContext = span.spanContext();
      step.live = span;
    },
    close(step) {
      lane.open(step);
      if (step.live) {
        endSpan(step.live, step);
      }
    },
  };
  return lane;
}

/** What the step belongs to, opened first. */
export function openedParent(lane: Lane, { parent }: Step): SpanContext | undefined {
  if (!parent || "traceId" in parent) {
    return parent;
  }
  lane.open(parent);
  return parent.spanContext;
}

export function parentContext(parent: SpanContext | undefined): Context {
  return parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

/** Ends a live span with all that was learned since its step was opened. */
export function endSpan(span: Span, step: Step): void {
  if (span.isRecording()) {
    // Known only now: a request by the room's id.
    if (step.target !== step.openedFor) {
      span.updateName(nameOf(step));
    }
    for (const { name, at, attributes } of step.events) {
      span.addEvent(name, attributes, hrTime(at));
    }
    for (const key in step.result) {
      const value = step.result[key];
      if (value !== undefined) {
        span.setAttribute(key, value);
      }
    }
    if (step.failure) {
      span.setAttribute(ATTRIBUTES.errorType.key, step.failure.type);
    }
    if (step.failure && !step.failure.expected) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: step.failure.message ?? step.failure.type });
    }
  }
  span.end(hrTime(step.end ?? step.start));
}

/** How the step's span is started. */
export function spanOptions(step: Step): SpanOptions {
  return {
    kind: step.inner ? SpanKind.INTERNAL : step.span.kind,
    startTime: hrTime(step.start),
    attributes: step.attributes,
    links: step.links.length === 0 ? NO_LINKS : step.links.map(toLink),
  };
}

/** A step's link as the API has it. */
export function toLink({ context: linked, source }: StepLink): Link {
  return source ? { context: linked, attributes: { [ATTRIBUTES.carrier.key]: source } } : { context: linked };
}
