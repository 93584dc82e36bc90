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
}

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
export function endReason({ code, joined, expired, queue }: Departure): string {
  if (!joined) {
    return "join_failed";
  }
  if (expired) {
    return "timeout";
  }
  if (queue && code === 1000) {
    return "moved_on";
  }
  return BY_CODE.get(code ?? 1005) ?? "unknown";
}

/** `session.end_type` of a reason, as the classification of player sessions has it. */
export function endType(reason: string): string {
  return TYPES.get(reason) ?? "unknown";
}
