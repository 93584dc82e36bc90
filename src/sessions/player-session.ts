import type { Client } from "@colyseus/core";
import { show } from "../internal/check.ts";
import { isReason, REASON } from "./end-reason.ts";
import type { Registry } from "./registry.ts";

/** A player's session, as the game sees it. */
export interface PlayerSession {
  /** What support asks for: the token's id; without a token Colyseus' sessionId of its first join. */
  readonly id: string;
  /**
   * Names why this session ends, when the game knows better than the close code: `"kicked"`, `"banned"`, `"logout"`, or
   * a word of its own. Call it right before `client.leave()`: the session ends with the connection, and
   * `session.end_reason` is this word.
   *
   * @throws TypeError when `reason` is no string of 1 to 64 characters
   */
  end(reason: string): void;
}

let byClient: Registry["byClient"] | undefined;

/** From now on sessions are found here; with undefined nowhere. */
export function observeSessions(registry: Registry | undefined): void {
  byClient = registry?.byClient;
}

/** The session of a player in one of the game's rooms. Without telemetry it has an id all the same, and `end` does nothing. */
export function sessionOf(client: Client): PlayerSession {
  const session = byClient?.get(client)?.session;
  return {
    id: session?.id ?? client.sessionId,
    end(reason) {
      if (!isReason(reason)) {
        throw new TypeError(`sessionOf().end: reason must be ${REASON}, got ${show(reason)}`);
      }
      if (session) {
        session.reason = reason;
      }
    },
  };
}
