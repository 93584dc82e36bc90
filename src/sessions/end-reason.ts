import { show } from "../internal/check.ts";
import { describe, warn } from "../internal/report.ts";

/** What is known about a player's way out. */
export interface Departure {
  /** Close code as Colyseus gave it to `_onLeave`. */
  readonly code: number | undefined;
  /** The join had been confirmed. */
  readonly joined: boolean;
  /** The seat was held for a return, until its window had passed. */
  readonly expired: boolean;
  /** The room was a QueueRoom. */
  readonly queue: boolean;
  /** The server goes down for an error that nobody caught. */
  readonly crashed: boolean;
  /** The server was closing the room. */
  readonly closing: boolean;
}

const MAX_REASON = 64;

/** {@link isReason} in words. */
export const REASON = `a string of 1 to ${MAX_REASON} characters`;

/** The game's own name for a close code; undefined for those that it has none for. */
export type EndReasonOf = (code: number) => string | undefined;

const BY_CODE = new Map<number, string>([
  [1000, "client_quit"],
  [1001, "connection_lost"],
  [1005, "connection_lost"],
  [1006, "connection_lost"],
  [4000, "client_quit"],
  [4001, "server_shutdown"],
  [4002, "server_error"],
  [4003, "timeout"],
  [4010, "server_restart"],
]);

/** No status code at all: what a WebSocket says of a peer that has just gone. */
const NO_STATUS = 1005;
/** Of a server that restarts, and of Colyseus' SDK in a browser that has gone offline. */
const MAY_TRY_RECONNECT = 4010;

const TYPES = new Map<string, string>([
  ["client_quit", "graceful"],
  ["logout", "graceful"],
  ["moved_on", "graceful"],
  ["timeout", "connection_failure"],
  ["connection_lost", "connection_failure"],
  ["kicked", "enforcement"],
  ["banned", "enforcement"],
  ["crash", "crash"],
]);

/** `session.end_reason` of a departure. */
export function endReason(departure: Departure, own?: EndReasonOf): string {
  const { code = NO_STATUS, joined, expired, queue, crashed } = departure;
  if (!joined) {
    return "join_failed";
  }
  if (crashed) {
    return "crash";
  }
  if (expired) {
    return "timeout";
  }
  if (queue && code === 1000) {
    return "moved_on";
  }
  return own?.(code) ?? (isLost(departure) ? "connection_lost" : BY_CODE.get(code)) ?? "unknown";
}

/** The game's own names, where it gives a usable one: what its function throws or invents never reaches a hook. */
export function ownReasons(given: EndReasonOf): EndReasonOf {
  return (code) => {
    try {
      const reason: unknown = given(code);
      if (reason === undefined || isReason(reason)) {
        return reason;
      }
      warn(
        "session.endReasonOf",
        `session.endReasonOf(${code}) must give ${REASON} or undefined, gave ${show(reason)}`,
      );
    } catch (error) {
      warn(
        "session.endReasonOf error",
        `session.endReasonOf(${code}) threw ${describe(error)}: the code's own name is used`,
      );
    }
    return undefined;
  };
}

/** What may be the name of an end. */
export function isReason(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= MAX_REASON;
}

/** The connection broke off, whatever became of it. */
export function isLost({ code = NO_STATUS, closing }: Pick<Departure, "code" | "closing">): boolean {
  return (code === MAY_TRY_RECONNECT && !closing) || BY_CODE.get(code) === "connection_lost";
}

/** `session.end_type` of a reason, as the classification of player sessions has it. */
export function endType(reason: string): string {
  return TYPES.get(reason) ?? "unknown";
}
