import { Client, type Room } from "@colyseus/sdk";
import type { TraceCarrier } from "colyseus-otel/client";
import { Pilot } from "./arena/pilot.ts";
import { TICK_RATE, type Heading } from "./arena/simulation.ts";
import type { ArenaState } from "./arena/state.ts";
import { loadArenaMap, type ArenaMap } from "./arena/tiled-map.ts";

export interface PlayerOptions {
  /** `ws://host:port` or `http://host:port` of the game server. */
  readonly url: string;
  readonly ticket: string;
  /** Id of a room where friends are. @default any that has a free seat, else a new one */
  readonly room?: string;
  /** Join options; this is where a caller puts `traceparent`. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** HTTP headers of the matchmaking request. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PlayReport {
  readonly room: string;
  readonly score: number;
  readonly moves: number;
}

export interface PlayUntil {
  /** @default Infinity */
  readonly seconds?: number;
  /** Asked at every tick. */
  readonly until?: (report: PlayReport) => boolean;
}

const FIRE_EVERY_TICKS = TICK_RATE / 2;

/** Joins the arena and waits for its first state. Rejects with the SDK's MatchMakeError when the player is refused. */
export async function connectPlayer({
  url,
  ticket,
  room: id,
  options = {},
  headers = {},
}: PlayerOptions): Promise<Player> {
  const client = new Client(url, { headers: { ...headers } });
  client.auth.token = ticket;
  const joining =
    id === undefined
      ? client.joinOrCreate<ArenaState>("arena", { ...options })
      : client.joinById<ArenaState>(id, { ...options });
  const room = await joining;
  await firstState(room);
  const map = await loadArenaMap(room.state.map);
  room.send("loaded", 1);
  return new Player(room, map);
}

export class Player {
  readonly room: Room<unknown, ArenaState>;
  readonly #pilot: Pilot;
  #sent: Heading | undefined;
  #ticks = 0;
  #moves = 0;
  #score = 0;

  constructor(room: Room<unknown, ArenaState>, map: ArenaMap) {
    this.room = room;
    this.#pilot = new Pilot(map);
    // Who comes back after a drop stands still, so the same heading must be sent again.
    room.onReconnect(() => (this.#sent = undefined));
  }

  report(): PlayReport {
    this.#score = this.room.state.fighters.get(this.room.sessionId)?.score ?? this.#score;
    return { room: this.room.roomId, score: this.#score, moves: this.#moves };
  }

  /** Plays until the time is over, `until` says so, or the connection is gone for good. */
  async play({ seconds = Infinity, until = () => false }: PlayUntil): Promise<PlayReport> {
    const end = performance.now() + seconds * 1000;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const onLeave = (): void => resolve();
    this.room.onLeave(onLeave);
    const timer = setInterval(() => {
      this.#tick();
      if (performance.now() >= end || until(this.report())) resolve();
    }, 1000 / TICK_RATE);
    await over;
    clearInterval(timer);
    this.room.onLeave.remove(onLeave);
    return this.report();
  }

  /** The session that goes on in the lobby, as the arena says; then `leave()`. */
  async askForLobby(): Promise<TraceCarrier> {
    const session = new Promise<TraceCarrier>((resolve) => this.room.onMessage("lobby", resolve));
    this.room.send("lobby");
    return session;
  }

  async leave(): Promise<PlayReport> {
    const report = this.report();
    await this.room.leave();
    return report;
  }

  #tick(): void {
    const { fighters, cells } = this.room.state;
    const self = fighters.get(this.room.sessionId);
    // Likewise who comes back after going down.
    if (self?.health === 0) this.#sent = undefined;
    if (self === undefined || self.health === 0 || !this.room.connection.isOpen) return;
    this.#ticks += 1;
    const { heading, shot } = this.#pilot.decide(self, fighters.values(), cells);
    this.#move(heading);
    if (shot !== undefined && this.#ticks % FIRE_EVERY_TICKS === 0) this.room.send("fire", shot);
  }

  #move(heading: Heading): void {
    if (heading.dx === this.#sent?.dx && heading.dy === this.#sent?.dy) return;
    this.room.send("move", heading);
    this.#sent = heading;
    this.#moves += 1;
  }
}

async function firstState(room: Room<unknown, ArenaState>): Promise<void> {
  if (room.state.fighters?.has(room.sessionId)) return;
  await new Promise<void>((resolve, reject) => {
    room.onStateChange.once(() => resolve());
    room.onLeave.once((code) => reject(new Error(`left the arena before its first state (close code ${code})`)));
  });
}
