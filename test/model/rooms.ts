import {
  ClientState,
  QueueRoom,
  Room,
  ServerError,
  type Client,
  type ClientPrivate,
  type Deferred,
} from "@colyseus/core";
import { until } from "../_server.ts";

/** What the model must know of a room type to say what comes of a request. */
export interface Rules {
  readonly places: number;
  /** Goes when its last player has left. Not where seats are held: Colyseus takes a second to look after they expire. */
  readonly disposes: boolean;
  /** Holds the seats of players who drop, where it is told to. */
  readonly holds: boolean;
  readonly queue: boolean;
}

/** What a player may bring along: each is a way to be refused. */
export interface JoinOptions {
  readonly ticket?: "forged" | "stolen" | "garbled";
  readonly spawn?: "crash" | "refuse" | "linger" | "hang";
  readonly map?: "missing" | "banned";
}

/** How often each hook ran, by the name that its spans have. */
export const calls = new Map<string, number>();

class Plain extends Room {}

class Small extends Room {
  override maxClients = 2;
  override onLeave() {
    called("room.on_leave small");
  }
}

class Guarded extends Room {
  static override async onAuth(_token: string, { ticket }: JoinOptions) {
    called("room.auth guarded");
    return isValid(ticket);
  }
  override onCreate() {
    called("room.create guarded");
  }
}

class Checked extends Room {
  override async onAuth(_client: Client, { ticket }: JoinOptions) {
    called("room.auth checked");
    return isValid(ticket);
  }
  override async onJoin(client: Client, { spawn }: JoinOptions) {
    called("room.on_join checked");
    if (spawn === "crash") {
      throw new Error("no spawn point");
    }
    if (spawn === "refuse") {
      throw new ServerError(403, "no such hero");
    }
    if (spawn === "hang") {
      await new Promise(() => {});
    }
    if (spawn === "linger") {
      await until("the player to go away", () => client.state === ClientState.LEAVING);
    }
  }
  override onDispose() {
    called("room.on_dispose checked");
  }
}

class Broken extends Room {
  override async onCreate({ map }: JoinOptions) {
    called("room.create broken");
    throw map === "banned" ? new ServerError(403, "that map is not played here") : new Error("no such map");
  }
}

/** A room that holds the seats of the players who drop while its window is open. */
export abstract class Holding extends Room {
  override maxClients = 3;
  override autoDispose = false;
  window: number | "manual" | "closed" = "closed";
  /** What onReconnect does. */
  returns: "welcome" | "refused" | "awaited until they are gone" = "welcome";
  readonly held = new Map<string, Deferred<Client>>();

  /** Before the player drops. */
  holdAhead(client: Client): void {
    this.held.set(client.sessionId, this.allowReconnection(client, "manual"));
  }

  protected hold(client: Client): Deferred<Client> | undefined {
    if (this.window === "closed") {
      return undefined;
    }
    const held = this.allowReconnection(client, this.window);
    this.held.set(client.sessionId, held);
    return held;
  }
}

class Held extends Holding {
  override async onJoin() {
    called("room.on_join held");
  }
  override onDrop(client: Client) {
    called("room.on_drop held");
    this.hold(client);
  }
  override async onReconnect(client: Client) {
    called("room.on_reconnect held");
    if (this.returns === "refused") {
      throw new Error("the match is over");
    }
    if (this.returns !== "welcome") {
      await until("the player to go away", () => (client as Client & ClientPrivate).readyState !== WebSocket.OPEN);
    }
  }
  override onLeave() {
    called("room.on_leave held");
  }
}

/** The older way: onLeave alone, and it waits for the player. */
class Classic extends Holding {
  override async onLeave(client: Client) {
    called("room.on_leave classic");
    await this.hold(client)?.catch(() => {});
  }
}

class Match extends Room {}

class Lobby extends QueueRoom {
  override cycleTickInterval = 5;
  override onCreate() {
    called("room.create lobby");
    super.onCreate({ matchRoomName: "match", maxPlayers: 2 });
  }
  override onJoin(client: Client, options: unknown) {
    called("room.on_join lobby");
    super.onJoin(client, options);
  }
}

const ORDINARY: Rules = { places: Infinity, disposes: true, holds: false, queue: false };

export const RULES = {
  plain: ORDINARY,
  small: { ...ORDINARY, places: 2 },
  guarded: ORDINARY,
  checked: ORDINARY,
  broken: ORDINARY,
  held: { ...ORDINARY, places: 3, disposes: false, holds: true },
  classic: { ...ORDINARY, places: 3, disposes: false, holds: true },
  match: ORDINARY,
  lobby: { ...ORDINARY, queue: true },
} as const satisfies Record<string, Rules>;

export type RoomType = keyof typeof RULES;

export const ROOMS: Record<RoomType, new () => Room> = {
  plain: Plain,
  small: Small,
  guarded: Guarded,
  checked: Checked,
  broken: Broken,
  held: Held,
  classic: Classic,
  match: Match,
  lobby: Lobby,
};

function called(span: string): void {
  calls.set(span, (calls.get(span) ?? 0) + 1);
}

/** Colyseus knows two ways to refuse, and games a third: a bug. */
function isValid(ticket: JoinOptions["ticket"]): boolean {
  if (ticket === "garbled") {
    throw new Error("no ticket at all");
  }
  if (ticket === "stolen") {
    throw new ServerError(401, "stolen ticket");
  }
  return ticket !== "forged";
}
