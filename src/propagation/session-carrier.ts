import type { SpanContext } from "@opentelemetry/api";
import { now } from "../internal/clock.ts";
import { joinOptionsWithContext } from "./join-options.ts";
import type { SharedSecrets } from "./secrets.ts";
import { TOKEN_KEY, tokenOf, type SessionToken } from "./session-token.ts";
import { signToken } from "./signature.ts";
import { formatTraceparent } from "./traceparent.ts";

/** What the client copies into its join options, so that the game server goes on with the session. */
export interface SessionCarrier {
  /** Of `session.started`. Missing while no OpenTelemetry SDK is registered. */
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly "colyseus-otel": string;
}

export interface Signing extends SharedSecrets {
  /**
   * Milliseconds in which the player has to join: menus and queues count in. At most a day, for a session that began
   * earlier is not believed either.
   *
   * @default 3_600_000, an hour
   */
  readonly expiresIn?: number | undefined;
}

const EXPIRES_IN_MS = 3_600_000;

/**
 * Makes the carrier of a session for the player's next join: `root` is what the next spans hang from, and with `signing` it
 * is signed from now on.
 *
 * @throws TypeError for an id, a start or a count that no token can hold
 */
export function sessionCarrier(
  session: SessionToken,
  root: SpanContext | undefined,
  signing: Signing | undefined,
): SessionCarrier {
  const token = tokenOf(session);
  const traceparent = root ? formatTraceparent(root) : "";
  const expiresAt = now() + (signing?.expiresIn ?? EXPIRES_IN_MS);
  const carrier = { [TOKEN_KEY]: signing ? signToken(token, traceparent, expiresAt, signing) : token };
  return Object.freeze(root ? joinOptionsWithContext(carrier, root) : carrier);
}
