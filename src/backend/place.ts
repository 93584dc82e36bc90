import { context, isSpanContextValid, trace, type SpanContext } from "@opentelemetry/api";
import { ownValue, parseTraceparent, type Extraction } from "../propagation/traceparent.ts";
import { admit, type ContextOutcome } from "../propagation/trust.ts";
import type { Step, StepLink } from "../telling/step.ts";

/** A trace context as it travels, with `traceparent` (and `tracestate`) among its keys; or one of the API. */
export type TraceCarrier = SpanContext | { readonly traceparent?: string; readonly tracestate?: string };

/** Where an allocation stands among the traces. */
export interface Place {
  readonly parent: SpanContext | undefined;
  readonly links: StepLink[];
  /** How each player's carrier came out. */
  readonly outcomes: readonly ContextOutcome[];
}

/**
 * A single player's context is the parent; those of several are links on a trace of its own. The caller's active span is
 * the parent where no player has a context, and else a link.
 */
export function placeOf(players: readonly TraceCarrier[], more: readonly TraceCarrier[]): Place {
  const admissions = players.map((player) =>
    admit(contextOfCarrier(player), players.length === 1 ? "continue" : "link"),
  );
  const links: StepLink[] = [];
  const fromPlayer = admissions.find(({ parent }) => parent)?.parent;
  const active = activeContext();
  const parent = fromPlayer ?? (admissions.some(({ link }) => link) ? undefined : active);
  const add = (linked: SpanContext | undefined, source?: string) => {
    if (linked && [parent, ...links.map((link) => link.context)].every((known) => !isSame(linked, known))) {
      links.push({ context: linked, ...(source && { source }) });
    }
  };
  admissions.forEach(({ link }) => add(link, "player"));
  add(active);
  more.map(contextOfCarrier).forEach((extraction) => typeof extraction === "object" && add(extraction));
  return { parent, links, outcomes: admissions.map(({ outcome }) => outcome) };
}

/** What a call carries to the server: where no SDK gave it ids, the context of whoever called us. */
export function carriedContext({ spanContext }: Step, { parent }: Step): SpanContext | undefined {
  const caller = parent && "traceId" in parent ? parent : undefined;
  return spanContext && isSpanContextValid(spanContext) ? spanContext : caller;
}

export function contextOfCarrier(carrier: TraceCarrier): Extraction {
  if (carrier === null || typeof carrier !== "object" || !("traceId" in carrier) || !isSpanContextValid(carrier)) {
    return parseTraceparent(ownValue(carrier, "traceparent"), ownValue(carrier, "tracestate"));
  }
  const { traceState, ...rest } = carrier;
  // One that has travelled as JSON has lost its methods.
  return typeof traceState?.serialize === "function" ? carrier : rest;
}

function activeContext(): SpanContext | undefined {
  const active = trace.getSpanContext(context.active());
  return active && isSpanContextValid(active) ? active : undefined;
}

function isSame(a: SpanContext, b: SpanContext | undefined): boolean {
  return a.spanId === b?.spanId && a.traceId === b.traceId;
}
