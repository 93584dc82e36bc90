import type { SpanContext } from "@opentelemetry/api";
import type { Extraction } from "./traceparent.ts";

/**
 * What a context that a player sent is good for.
 *
 * - `"continue"`: it is the parent.
 * - `"link"`: a trace of our own, with a link to it.
 * - `"ignore"`: a trace of our own.
 */
export type Trust = "continue" | "link" | "ignore";

export const TRUSTS: readonly Trust[] = ["continue", "link", "ignore"];

/** How a carrier came out: the label `outcome` of `colyseus.trace_context`. */
export type ContextOutcome = "continued" | "linked" | "ignored" | "absent" | "malformed";

export interface Admission {
  readonly parent: SpanContext | undefined;
  readonly link: SpanContext | undefined;
  readonly outcome: ContextOutcome;
}

const NOTHING = { parent: undefined, link: undefined };
const ABSENT: Admission = { ...NOTHING, outcome: "absent" };
const MALFORMED: Admission = { ...NOTHING, outcome: "malformed" };
const IGNORED: Admission = { ...NOTHING, outcome: "ignored" };

/** Decides by {@link Trust} what an extracted context may be. Operators' carriers are trusted: pass `"continue"`. */
export function admit(extraction: Extraction, trust: Trust): Admission {
  if (extraction === "absent") {
    return ABSENT;
  }
  if (extraction === "malformed") {
    return MALFORMED;
  }
  if (trust === "ignore") {
    return IGNORED;
  }
  return trust === "continue"
    ? { parent: extraction, link: undefined, outcome: "continued" }
    : { parent: undefined, link: extraction, outcome: "linked" };
}
