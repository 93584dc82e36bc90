import { Room, type Client } from "@colyseus/core";
import { sessionOf } from "colyseus-otel";
import { verifyTicket, type PlayerIdentity } from "../tickets.ts";
import { askForMatch } from "./matchmaker.ts";

interface Visitor extends PlayerIdentity {
  readonly ticket: string;
}

type LobbyClient = Client<{ auth: Visitor }>;

/** Where players are between two matches; it sends them on to an arena, with the session that they are in. */
export class LobbyRoom extends Room<{ client: LobbyClient }> {
  override autoDispose = false;
  override messages = { play: (client: LobbyClient) => this.#findMatch(client) };

  static override async onAuth(ticket: string): Promise<Visitor> {
    return { ...verifyTicket(ticket), ticket };
  }

  async #findMatch(client: LobbyClient): Promise<void> {
    const { ticket } = client.auth!;
    const session = sessionOf(client).carrier();
    try {
      client.send("match", { ...(await askForMatch({ ticket, session })), session });
    } catch (error) {
      client.error(503, (error as Error).message);
    }
  }
}
