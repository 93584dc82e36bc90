import { now } from "../internal/clock.ts";
import type { ContextOutcome, Verdict } from "./trust.ts";

/** The join option that holds the token. */
export const TOKEN_KEY = "colyseus-otel";

/** Who tells `session.lifecycle`: the game server at the leave, or the service that began the session. */
export type SessionEnd = "server" | "service";

export const SESSION_ENDS: readonly SessionEnd[] = ["server", "service"];

/** What one session says about itself on its way through the client: where it is not signed, what the client likes. */
export interface SessionToken {
  readonly id: string;
  /** Login, in epoch milliseconds. Whole when it comes out of a token. */
  readonly start: number;
  /** Game servers before the one that reads it. */
  readonly leg: number;
  /** Matches before the one that follows. */
  readonly matches: number;
  readonly end: SessionEnd;
  readonly playerId: string | undefined;
  readonly authMethod: string | undefined;
  readonly clientVersion: string | undefined;
  readonly platform: string | undefined;
}

/** `stale`: well-formed, and its start lies in the future or too far back. */
export type TokenExtraction = SessionToken | "absent" | "malformed" | "stale";

/** A token with what tells it to be true: until when, in epoch seconds, and an HMAC-SHA256 as base64url. */
export const SIGNED = /^(.+):([1-9]\d{9}):([\w-]{43})$/;

/** With its signature. */
export const MAX_TOKEN = 512;

/**
 * Bytes of each text, percent-encoded. With the numbers and a signature they stay below {@link MAX_TOKEN} (a test adds them
 * up); the last is shorter than a signature, so that no token looks {@link SIGNED}.
 */
export const TOKEN_TEXTS = { playerId: 192, authMethod: 32, clientVersion: 64, platform: 32 } as const;

const VERSION = "1";
const ID = /^[\w-]{1,64}$/;
const COUNT = /^(0|[1-9]\d{0,5})$/;
const START = /^[1-9]\d{0,14}$/;
const MAX_COUNT = 999_999;
/** Control characters and line separators: a support tool or a log line would break on them. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}]/u;
const MAX_AGE_MS = 86_400_000;
/** Clocks of two machines under NTP are closer than this. */
const SKEW_MS = 5000;

/**
 * The token of a session: its fields percent-encoded with `:` between them, so it fits a header, a cookie and a URL too.
 * Texts that {@link fits} refuses are left out: half a player id would be another player's.
 *
 * @throws TypeError for an id, a start or a count that no token can hold
 */
export function tokenOf(session: SessionToken): string {
  const { id, start, leg, matches, end } = session;
  const fields = [VERSION, id, String(Math.floor(start)), count(leg), count(matches), end];
  if (!ID.test(id) || !START.test(fields[2]!) || !SESSION_ENDS.includes(end)) {
    throw new TypeError(`session token: not the id, start and end of a session: ${id}, ${start}, ${end}`);
  }
  for (const name of textNames) {
    const text = session[name];
    fields.push(text !== undefined && fits(name, text) ? encodeURIComponent(text) : "");
  }
  return fields.join(":");
}

/** Reads a token of any origin, signed or not: who signed it is not looked at. Never throws. `at` is now, in epoch milliseconds. */
export function parseToken(value: unknown, at: number = now()): TokenExtraction {
  if (value === undefined || value === null || value === "") {
    return "absent";
  }
  if (typeof value !== "string" || value.length > MAX_TOKEN) {
    return "malformed";
  }
  const token = readFields((SIGNED.exec(value)?.[1] ?? value).split(":", 11));
  if (!token) {
    return "malformed";
  }
  return token.start > at + SKEW_MS || token.start < at - MAX_AGE_MS ? "stale" : token;
}

/** Whether a text travels whole. */
export function fits(name: keyof typeof TOKEN_TEXTS, text: string): boolean {
  // Before encoding: a megabyte is not encoded to learn that it is long. A lone surrogate cannot be encoded at all.
  if (text.length > TOKEN_TEXTS[name] || UNPRINTABLE.test(text) || !text.isWellFormed()) {
    return false;
  }
  return encodeURIComponent(text).length <= TOKEN_TEXTS[name];
}

export interface TokenAdmission {
  readonly token: SessionToken | undefined;
  readonly outcome: ContextOutcome;
}

const ABSENT: TokenAdmission = { token: undefined, outcome: "absent" };

/** A token is believed where its context is: with `"link"` and `"ignore"` the connection is a session of its own. */
export function admitToken(extraction: TokenExtraction, verdict: Verdict): TokenAdmission {
  if (extraction === "absent") {
    return ABSENT;
  }
  if (extraction === "malformed" || verdict === "unsigned") {
    return { token: undefined, outcome: extraction === "malformed" ? extraction : "unsigned" };
  }
  return extraction === "stale" || verdict !== "continue"
    ? { token: undefined, outcome: "ignored" }
    : { token: extraction, outcome: "continued" };
}

const textNames = Object.keys(TOKEN_TEXTS) as (keyof typeof TOKEN_TEXTS)[];

function count(value: number): string {
  const text = String(Math.min(value, MAX_COUNT));
  if (!COUNT.test(text)) {
    throw new TypeError(`session token: not a count: ${value}`);
  }
  return text;
}

function readFields(fields: readonly string[]): SessionToken | undefined {
  const [version, id = "", start = "", leg = "", matches = "", end = "", ...texts] = fields;
  const known = SESSION_ENDS.find((one) => one === end);
  if (version !== VERSION || !ID.test(id) || !START.test(start) || !known || texts.length !== textNames.length) {
    return undefined;
  }
  const [playerId, authMethod, clientVersion, platform] = texts.map((text, at) => readText(textNames[at]!, text));
  if (!COUNT.test(leg) || !COUNT.test(matches) || [playerId, authMethod, clientVersion, platform].includes(false)) {
    return undefined;
  }
  return {
    id,
    start: Number(start),
    leg: Number(leg),
    matches: Number(matches),
    end: known,
    playerId: playerId || undefined,
    authMethod: authMethod || undefined,
    clientVersion: clientVersion || undefined,
    platform: platform || undefined,
  };
}

/** Only what the writer writes is read, so that one session has one token. False: it did not write this. */
function readText(name: keyof typeof TOKEN_TEXTS, encoded: string): string | false {
  try {
    const text = decodeURIComponent(encoded);
    return fits(name, text) && encodeURIComponent(text) === encoded ? text : false;
  } catch {
    return false;
  }
}
