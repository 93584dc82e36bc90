import type { SpanContext } from "@opentelemetry/api";
import { checkOneOf, show } from "../internal/check.ts";
import { checkSecretKeys, checkSecrets, secretsFromEnvironment, type SharedSecrets } from "./secrets.ts";
import type { Extraction } from "./traceparent.ts";

/**
 * What a context that a player sent is good for, and the session token beside it.
 *
 * - `"continue"`: it is the parent, and the token is believed. Of contexts that want to be sampled 500 a second.
 * - `{ secrets, audience }`: the same where one of the secrets signed it, in the join options; else a link. For
 *   production. `"signed"` has them from COLYSEUS_OTEL_TRUST_SECRETS and COLYSEUS_OTEL_TRUST_AUDIENCE.
 * - `"link"`: a trace of our own, with a link to it.
 * - `"ignore"`: a trace of our own.
 */
export type Trust = TrustName | SharedSecrets;

type TrustName = "continue" | "signed" | "link" | "ignore";

export const TRUSTS: readonly TrustName[] = ["continue", "signed", "link", "ignore"];

export type ResolvedTrust = Exclude<TrustName, "signed"> | SharedSecrets;

/** What one context is good for: what {@link Trust} says of all, or of one that is not signed, or one too many. */
export type Verdict = "continue" | "link" | "ignore" | "unsigned" | "capped";

/** How a carrier came out: the label `outcome` of `colyseus.trace_context`. */
export type ContextOutcome = "continued" | "linked" | "ignored" | "absent" | "malformed" | "unsigned" | "capped";

export interface Admission {
  readonly parent: SpanContext | undefined;
  readonly link: SpanContext | undefined;
  readonly outcome: ContextOutcome;
}

/** A secret is longer. */
const LONGEST_SHOWN = 15;

const NOTHING = { parent: undefined, link: undefined };
const ABSENT: Admission = { ...NOTHING, outcome: "absent" };
const MALFORMED: Admission = { ...NOTHING, outcome: "malformed" };
const IGNORED: Admission = { ...NOTHING, outcome: "ignored" };

/** Carries out a verdict on an extracted context. Operators' carriers are trusted: pass `"continue"`. */
export function admit(extraction: Extraction, verdict: Verdict): Admission {
  if (extraction === "absent") {
    return ABSENT;
  }
  if (extraction === "malformed") {
    return MALFORMED;
  }
  if (verdict === "ignore") {
    return IGNORED;
  }
  return verdict === "continue"
    ? { parent: extraction, link: undefined, outcome: "continued" }
    : { parent: undefined, link: extraction, outcome: verdict === "link" ? "linked" : verdict };
}

/** @throws TypeError that names what is wrong, and shows nothing that may be a secret */
export function resolveTrust(trust: unknown, env: NodeJS.ProcessEnv): ResolvedTrust {
  if (typeof trust === "object" && trust !== null) {
    checkSecretKeys("trust", trust, ["secrets", "audience"]);
    return checkSecrets("trust", trust as SharedSecrets);
  }
  if (typeof trust === "string" && trust.length > LONGEST_SHOWN) {
    throw new TypeError(`trust must be one of ${TRUSTS.map(show).join(", ")} or { secrets }, got another string`);
  }
  const name = checkOneOf("trust", trust, TRUSTS);
  return name === "signed" ? secretsFromEnvironment(env) : name;
}
