// Every Colyseus server has loaded it by now: core imports it.
import { createHmac, timingSafeEqual } from "node:crypto";
import { now } from "../internal/clock.ts";
import type { SharedSecrets } from "./secrets.ts";
import { MAX_TOKEN, SIGNED } from "./session-token.ts";
import { MAX_TRACEPARENT } from "./traceparent.ts";

/**
 * `<token>:<expiry>:<signature>`: an HMAC-SHA256, as base64url, over the `traceparent` that travels beside the token
 * (`""` where none does), the token, the expiry (`expiresAt`, epoch milliseconds, as whole seconds) and the audience.
 */
export function signToken(
  token: string,
  traceparent: string,
  expiresAt: number,
  { secrets, audience }: SharedSecrets,
): string {
  const expiry = String(Math.ceil(expiresAt / 1000));
  return `${token}:${expiry}:${signatureOf(secrets[0]!, token, expiry, traceparent, audience)}`;
}

/** The twin of {@link signToken}: whether a service with one of the secrets signed this, of any origin. Never throws. */
export function isSigned(
  value: unknown,
  traceparent: unknown,
  { secrets, audience }: SharedSecrets,
  at: number = now(),
): boolean {
  // Lengths first: what players send is hashed only where it is as short as what services send.
  if (typeof value !== "string" || value.length > MAX_TOKEN) {
    return false;
  }
  if (typeof traceparent !== "string" || traceparent.length > MAX_TRACEPARENT) {
    return false;
  }
  const [, token, expiry, signature] = SIGNED.exec(value) ?? [];
  if (!token || !expiry || !signature || Number(expiry) * 1000 <= at) {
    return false;
  }
  const given = Buffer.from(signature);
  return secrets.some((secret) =>
    timingSafeEqual(given, Buffer.from(signatureOf(secret, token, expiry, traceparent, audience))),
  );
}

/** Lines, so that no two different carriers are one text: only the last, the operator's own, may have line breaks. */
function signatureOf(
  secret: string,
  token: string,
  expiry: string,
  traceparent: string,
  audience: string | undefined,
): string {
  return createHmac("sha256", secret)
    .update(`colyseus-otel\n${token}\n${expiry}\n${traceparent}\n${audience ?? ""}`)
    .digest("base64url");
}
