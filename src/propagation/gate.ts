import { TraceFlags } from "@opentelemetry/api";
import { createBucket } from "./bucket.ts";
import { contextFromHeaders } from "./headers.ts";
import { contextFromJoinOptions, signedInJoinOptions, tokenFromJoinOptions } from "./join-options.ts";
import type { SharedSecrets } from "./secrets.ts";
import { admitToken, type TokenAdmission } from "./session-token.ts";
import type { Extraction } from "./traceparent.ts";
import { admit, type Admission, type ResolvedTrust, type Verdict } from "./trust.ts";

/** Where players' carriers come in: what each of them is good for. */
export interface Gate {
  /** What a carrier that leaves here is signed with, so that it comes in again. */
  readonly signing: SharedSecrets | undefined;
  joinOptions(options: unknown): { readonly player: Admission; readonly session: TokenAdmission };
  /** `leads`: it would be the parent, as nothing else is. */
  headers(headers: unknown, leads: boolean): Admission;
}

/**
 * Contexts with the sampled flag that one process continues a second: the sampler follows the flag, so each of them is
 * spans that somebody outside has ordered. A server under load has 200 joins a second, and a tournament's start brings some
 * hundreds at once.
 */
export const FORCED_PER_SECOND = 500;

export function createGate(trust: ResolvedTrust): Gate {
  const takeForced = createBucket(FORCED_PER_SECOND);
  const verdictOn = (extraction: Extraction, signed: boolean, leads: boolean): Verdict => {
    if (typeof trust === "object") {
      return signed ? "continue" : "unsigned";
    }
    return trust === "continue" && leads && isForced(extraction) && !takeForced() ? "capped" : trust;
  };
  const signing = typeof trust === "object" ? trust : undefined;
  return {
    signing,
    joinOptions(options) {
      const signed = signing ? signedInJoinOptions(options, signing) : NOT_SIGNED;
      const context = contextFromJoinOptions(options);
      return {
        player: admit(signed.context ? withoutState(context) : context, verdictOn(context, signed.context, true)),
        session: admitToken(tokenFromJoinOptions(options), verdictOn("absent", signed.token, false)),
      };
    },
    headers(headers, leads) {
      const context = contextFromHeaders(headers);
      return admit(context, verdictOn(context, false, leads));
    },
  };
}

const NOT_SIGNED = { context: false, token: false };

function isForced(extraction: Extraction): boolean {
  return typeof extraction === "object" && (extraction.traceFlags & TraceFlags.SAMPLED) !== 0;
}

/** The tracestate is not signed, and samplers read it. */
function withoutState(extraction: Extraction): Extraction {
  if (typeof extraction === "string") {
    return extraction;
  }
  const { traceState: _unsigned, ...signed } = extraction;
  return signed;
}
