import { createHmac, timingSafeEqual } from "node:crypto";
import { ServerError } from "@colyseus/core";

export interface PlayerIdentity {
  readonly playerId: string;
}

export interface Ticket extends PlayerIdentity {
  /** Unix time in milliseconds. */
  readonly expires: number;
}

const DEVELOPMENT_SECRET = "arena-development-secret";
const LONGEST_TICKET = 1024;

/** What the login service does: `<payload>.<HMAC-SHA256 of it>`, both base64url. */
export function mintTicket(ticket: Ticket, secret: string = ticketSecret()): string {
  const payload = Buffer.from(JSON.stringify(ticket)).toString("base64url");
  return `${payload}.${sign(payload, secret).toString("base64url")}`;
}

/** Who the ticket was minted for. Throws a ServerError 401 that says what is wrong with it. */
export function verifyTicket(
  ticket: unknown,
  secret: string = ticketSecret(),
  now: number = Date.now(),
): PlayerIdentity {
  if (typeof ticket !== "string" || ticket === "") throw refusal("ticket missing");
  const [payload, signature, ...rest] = ticket.length > LONGEST_TICKET ? [] : ticket.split(".");
  if (payload === undefined || signature === undefined || rest.length > 0) throw refusal("ticket malformed");
  if (!isSignature(signature, sign(payload, secret))) throw refusal("ticket signature is wrong");

  const { playerId, expires } = readPayload(payload);
  if (expires <= now) throw refusal("ticket expired");
  return { playerId };
}

/** `ARENA_TICKET_SECRET`; outside production it may be left out. */
function ticketSecret(): string {
  const secret = process.env.ARENA_TICKET_SECRET;
  if (secret) return secret;
  if (process.env.NODE_ENV === "production")
    throw new Error("set ARENA_TICKET_SECRET: the development secret is public");
  return DEVELOPMENT_SECRET;
}

function sign(payload: string, secret: string): Buffer {
  return createHmac("sha256", secret).update(payload).digest();
}

function isSignature(claimed: string, expected: Buffer): boolean {
  const bytes = Buffer.from(claimed, "base64url");
  // timingSafeEqual throws when the lengths differ; the length is no secret.
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}

// Only what carries our signature gets here: what is wrong with it, the minting service did.
function readPayload(payload: string): Ticket {
  const { playerId, expires } = JSON.parse(Buffer.from(payload, "base64url").toString()) as Partial<Ticket>;
  if (typeof playerId !== "string" || playerId === "") throw refusal("ticket names no player");
  if (typeof expires !== "number") throw refusal("ticket has no expiry");
  return { playerId, expires };
}

function refusal(reason: string): ServerError {
  return new ServerError(401, reason);
}
