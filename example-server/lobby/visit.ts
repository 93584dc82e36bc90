import { Client } from "@colyseus/sdk";
import { withTraceContext, type TraceCarrier } from "colyseus-otel/client";
import type { Match } from "./matchmaker.ts";

export interface VisitOptions {
  /** `ws://host:port` of the lobby. */
  readonly url: string;
  readonly ticket: string;
  /** Of the login, or of the room that the player comes from. */
  readonly session: TraceCarrier;
}

export interface FoundMatch extends Match {
  /** For the join of the arena. */
  readonly session: TraceCarrier;
}

/** A player's program in the lobby: joins it, asks for a match, and leaves with the answer. Rejects when there is none. */
export async function visitLobby({ url, ticket, session }: VisitOptions): Promise<FoundMatch> {
  const client = new Client(url);
  client.auth.token = ticket;
  const lobby = await client.joinOrCreate("lobby", withTraceContext({}, session));
  const found = new Promise<FoundMatch>((resolve, reject) => {
    lobby.onMessage("match", resolve);
    lobby.onError((code, message) => reject(new Error(`no match: ${code}, ${message}`)));
    lobby.onLeave((code) => reject(new Error(`out of the lobby before there was a match (close code ${code})`)));
  });
  lobby.send("play");
  try {
    return await found;
  } finally {
    if (lobby.connection.isOpen) await lobby.leave();
  }
}
