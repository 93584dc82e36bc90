/** Close codes, as the documentation of `session.end_reason` has them. */
const REASONS = new Map([
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

const TYPES = new Map([
  ["client_quit", "graceful"],
  ["moved_on", "graceful"],
  ["timeout", "connection_failure"],
  ["connection_lost", "connection_failure"],
  ["kicked", "enforcement"],
  ["banned", "enforcement"],
]);

/** The game's own names of close codes, as it gives them to instrument(). */
export function endReasonOf(code: number): string | undefined {
  return code === 4401 ? "banned" : undefined;
}

export function endReason(code: number, queue: boolean): string {
  return queue && code === 1000 ? "moved_on" : (endReasonOf(code) ?? REASONS.get(code) ?? "unknown");
}

export function endType(reason: string): string {
  return TYPES.get(reason) ?? "unknown";
}

/** The connection broke off, and nobody said goodbye. */
export function isLost(code: number): boolean {
  return REASONS.get(code) === "connection_lost";
}

/** `outcome` of what was refused with this error type. */
export function refusal(error: string): string {
  return error === "room_full" ? "refused_full" : error === "auth_failed" ? "refused_auth" : "error";
}
