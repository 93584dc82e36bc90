import type { SpanContext } from "@opentelemetry/api";
import type { SharedSecrets } from "./secrets.ts";
import { parseToken, TOKEN_KEY, type TokenExtraction } from "./session-token.ts";
import { isSigned } from "./signature.ts";
import { ownValue, parseTraceparent, withTraceFields, type Extraction } from "./traceparent.ts";

/** The keys that a player's program adds to its join options. */
const KEYS = ["traceparent", "tracestate", TOKEN_KEY] as const;

/** A copy of the options that carries the context. */
export function joinOptionsWithContext<T extends object>(
  options: T,
  spanContext: SpanContext,
): Omit<T, "tracestate"> & { traceparent: string } {
  return withTraceFields(options, spanContext);
}

/**
 * The context in join options: `traceparent`, else the `extra.traceparent` that Passage's session cookie holds
 * (github.com/scrayosnet/passage).
 */
export function contextFromJoinOptions(options: unknown): Extraction {
  const direct = parseTraceparent(ownValue(options, "traceparent"), ownValue(options, "tracestate"));
  return direct === "absent" ? contextFromPassage(ownValue(options, "extra")) : direct;
}

/** The session in join options, as the login service's carrier put it there. */
export function tokenFromJoinOptions(options: unknown): TokenExtraction {
  return parseToken(ownValue(options, TOKEN_KEY));
}

/**
 * What of join options is signed: a token without a context, where its service has no SDK; never the context in Passage's
 * `extra`, which may come in beside such a token.
 */
export function signedInJoinOptions(
  options: unknown,
  secrets: SharedSecrets,
): { readonly token: boolean; readonly context: boolean } {
  const traceparent = ownValue(options, "traceparent") ?? "";
  const token = isSigned(ownValue(options, TOKEN_KEY), traceparent, secrets);
  return { token, context: token && traceparent !== "" };
}

/** A copy of Passage's `extra` map that carries the context. */
export function passageExtraWithContext<T extends object>(
  extra: T,
  spanContext: SpanContext,
): Omit<T, "tracestate"> & { traceparent: string } {
  return withTraceFields(extra, spanContext);
}

function contextFromPassage(extra: unknown): Extraction {
  return parseTraceparent(ownValue(extra, "traceparent"), ownValue(extra, "tracestate"));
}

/**
 * Deletes our keys in place: games validate their options strictly, and a copy would break those that let the static
 * onAuth leave something in them for onCreate. `extra` belongs to the proxy and stays.
 */
export function stripJoinOptions(options: unknown): void {
  if (options === null || typeof options !== "object") {
    return;
  }
  for (const key of KEYS) {
    if (Object.hasOwn(options, key)) {
      Reflect.deleteProperty(options, key);
    }
  }
}
