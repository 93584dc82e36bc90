import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Link,
  type SpanOptions,
  type Tracer,
} from "@opentelemetry/api";
import { ATTRIBUTES } from "../conventions.ts";
import { hrTime } from "../internal/clock.ts";
import type { Step, StepLink } from "./step.ts";

const NO_LINKS: Link[] = [];

/** Opens a step as a live span of the provider: ids, sampling and `onStart` are the provider's. Parents come first. */
export function openSpan(tracer: Tracer, step: Step): void {
  if (step.context) {
    return;
  }
  const span = tracer.startSpan(nameOf(step), optionsOf(step), parentContext(tracer, step));
  step.openedFor = step.target;
  step.spanContext = span.spanContext();
  step.context = trace.setSpan(context.active(), span);
}

/** Ends the step's span with all that was learned since it was opened. */
export function closeSpan(tracer: Tracer, step: Step): void {
  openSpan(tracer, step);
  const span = step.context && trace.getSpan(step.context);
  if (!span) {
    return;
  }
  if (span.isRecording()) {
    // Known only now: a request by the room's id.
    if (step.target !== step.openedFor) {
      span.updateName(nameOf(step));
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

function nameOf(step: Step): string {
  return step.target === undefined ? step.span.name : `${step.span.name} ${step.target}`;
}

function optionsOf(step: Step): SpanOptions {
  return {
    kind: step.inner ? SpanKind.INTERNAL : step.span.kind,
    startTime: hrTime(step.start),
    attributes: step.attributes,
    links: step.links.length === 0 ? NO_LINKS : step.links.map(toLink),
  };
}

function parentContext(tracer: Tracer, step: Step): Context {
  const { parent } = step;
  if (!parent) {
    return ROOT_CONTEXT;
  }
  if ("traceId" in parent) {
    return trace.setSpanContext(ROOT_CONTEXT, parent);
  }
  openSpan(tracer, parent);
  return parent.spanContext ? trace.setSpanContext(ROOT_CONTEXT, parent.spanContext) : ROOT_CONTEXT;
}

function toLink({ context: linked, source }: StepLink): Link {
  return source ? { context: linked, attributes: { [ATTRIBUTES.carrier.key]: source } } : { context: linked };
}
