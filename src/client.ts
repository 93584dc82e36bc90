/** What `startSession().carrier` of `colyseus-otel/backend` holds; it reaches the player with the login's answer. */
export interface TraceCarrier {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  /** The session's token. */
  readonly "colyseus-otel"?: string | undefined;
}

/** The two parts of `@opentelemetry/api` that are used: hand in the module itself, or `{ context, propagation }`. */
export interface PageTelemetry {
  readonly context: { active(): unknown };
  readonly propagation: { inject(context: unknown, carrier: object): void };
}

type Texts = { -readonly [Key in keyof TraceCarrier]: string };

/** The server reads no longer ones. */
const MAX_LENGTH = 512;

/**
 * A copy of the join options that carries the player's trace and session, for `client.joinOrCreate()`, `join()`,
 * `create()` and `joinById()`. The game server takes both out before the game's own code sees the options.
 *
 * With the page's own OpenTelemetry its active context is the parent where it has one, and the carrier's otherwise; the
 * session's token travels in either case. Call it where the span is active: after an `await` it may no longer be.
 *
 * Never throws: a carrier that is missing, or that is none, adds nothing.
 */
export function withTraceContext<T extends object>(
  options: T,
  carrier: TraceCarrier | null | undefined,
  page?: PageTelemetry,
): T & TraceCarrier;
export function withTraceContext(
  options: object | undefined,
  carrier: TraceCarrier | null | undefined,
  page?: PageTelemetry,
): TraceCarrier;
export function withTraceContext(
  options: object | undefined,
  carrier: TraceCarrier | null | undefined,
  page?: PageTelemetry,
): TraceCarrier {
  const given = textsOf(carrier);
  const own = textsOf(page && injected(page));
  const { traceparent, tracestate } = own.traceparent ? own : given;
  const token = given["colyseus-otel"];
  try {
    // Not Object.assign(): a key "__proto__" of parsed JSON would become the copy's prototype.
    const copy: Texts = { ...options };
    if (traceparent) {
      copy.traceparent = traceparent;
      // Never that of an older context.
      delete copy.tracestate;
      if (tracestate) {
        copy.tracestate = tracestate;
      }
    }
    if (token) {
      copy["colyseus-otel"] = token;
    }
    return copy;
  } catch {
    return options!;
  }
}

/** The context that is active in the page; its baggage stays there. */
function injected(page: PageTelemetry): TraceCarrier {
  const carrier = {};
  try {
    page.propagation.inject(page.context.active(), carrier);
  } catch {
    // The page's own propagator is broken: the player joins all the same.
  }
  return carrier;
}

/** What is text among the carrier's keys. It may be anything: it came over the network. */
function textsOf(carrier: TraceCarrier | null | undefined): Texts {
  const texts: Texts = {};
  try {
    for (const key of ["traceparent", "tracestate", "colyseus-otel"] as const) {
      const text: unknown = carrier![key];
      if (typeof text === "string" && text.length <= MAX_LENGTH) {
        texts[key] = text;
      }
    }
  } catch {
    // None at all, or one that cannot be read.
  }
  return texts;
}
