import { randomInt } from "node:crypto";
import { CloseCode, Room, validate, type Client } from "@colyseus/core";
import { sessionOf, type PlayerPhase } from "colyseus-otel";
import { verifyTicket, type PlayerIdentity } from "../tickets.ts";
import { headingFormat } from "./heading-format.ts";
import { mapForRoom } from "./loaded-map.ts";
import { Pilot } from "./pilot.ts";
import { seededRandom } from "./random.ts";
import {
  createWorld,
  isTooFast,
  placeCell,
  spawnFighter,
  step,
  STILL,
  TICK_RATE,
  type Heading,
  type World,
} from "./simulation.ts";
import { ArenaState, CellState, FighterState } from "./state.ts";

type ArenaClient = Client<{ auth: PlayerIdentity }>;

const SEATS = 4;
const CELLS = 6;
const MODE = "free_for_all";
/** Seconds for which the seat of a player whose network broke is held. */
const RETURN_SECONDS = Number(process.env.ARENA_RETURN_SECONDS ?? 20);
/** Close code of a player whom the game sends away; Colyseus' own end below 4100. */
const KICKED = 4100;
/** The connection broke off. Players who leave, or are sent away, have other codes. */
const BROKEN: ReadonlySet<number> = new Set([
  CloseCode.GOING_AWAY,
  CloseCode.NO_STATUS_RECEIVED,
  CloseCode.ABNORMAL_CLOSURE,
  CloseCode.MAY_TRY_RECONNECT,
]);

export class ArenaRoom extends Room<{ state: ArenaState; client: ArenaClient }> {
  override maxClients = SEATS;
  override maxMessagesPerSecond = 60;
  override state = new ArenaState();
  override messages = {
    move: validate(headingFormat, (client: Client, heading: Heading) => this.#steer(client, heading)),
    loaded: (client: Client, assets: unknown) => this.#loaded(client, Number(assets) || 0),
    lobby: (client: Client) => client.send("lobby", sessionOf(client).carrier()),
    fire: validate(headingFormat, (client: Client, heading: Heading) => this.#fire(client, heading)),
  };

  readonly #loading = new Map<string, PlayerPhase>();
  readonly #pilots = new Map<string, Pilot>();
  readonly #random = seededRandom(randomInt(2 ** 32));
  #world!: World;
  #bots = 0;

  static override async onAuth(ticket: string): Promise<PlayerIdentity> {
    return verifyTicket(ticket);
  }

  override async onCreate(): Promise<void> {
    const map = await mapForRoom();
    this.state.map = map.name;
    this.#world = createWorld(map, this.state.fighters, this.state.cells);
    for (let count = 0; count < CELLS; count++) this.#addCell();
    this.#balanceBots();
    this.setTimestep(() => this.#tick(), 1000 / TICK_RATE);
  }

  override onJoin(client: ArenaClient, _options: unknown, player: PlayerIdentity): void {
    const session = sessionOf(client);
    session.match({ map: this.state.map, mode: MODE });
    // The player's program loads the map that the first state names, and says so.
    this.#loading.set(client.sessionId, session.phase("loading", { "loading.type": "map" }));
    this.#enter(client.sessionId, new FighterState({ name: player.playerId }));
    this.#balanceBots();
  }

  // Colyseus calls it for everybody who goes without a goodbye, also for those whom the game sends away.
  override onDrop(client: ArenaClient, code: number = CloseCode.NO_STATUS_RECEIVED): void {
    const fighter = this.state.fighters.get(client.sessionId);
    if (fighter === undefined || !BROKEN.has(code)) return;
    fighter.away = true;
    fighter.controls.heading = STILL;
    // Rejects when nobody returns in time, which onLeave hears of as well.
    this.allowReconnection(client, RETURN_SECONDS).catch(() => {});
  }

  override onReconnect(client: ArenaClient): void {
    const fighter = this.state.fighters.get(client.sessionId);
    if (fighter !== undefined) fighter.away = false;
  }

  override async onLeave(client: ArenaClient): Promise<void> {
    const fighter = this.state.fighters.get(client.sessionId);
    if (fighter === undefined) return;
    sessionOf(client).result({ result: this.#leads(fighter) ? "ahead" : "behind", score: fighter.score });
    this.#loading.delete(client.sessionId);
    this.state.fighters.delete(client.sessionId);
    this.#balanceBots();
    await this.presence.hincrby("arena:ladder", fighter.name, fighter.score);
  }

  override async onDispose(): Promise<void> {
    await this.presence.hincrby("arena:matches", this.state.map, 1);
  }

  #tick(): void {
    for (const [id, pilot] of this.#pilots) this.#fly(id, pilot);
    step(this.#world, this.#random);
    this.state.tick += 1;
  }

  #fly(id: string, pilot: Pilot): void {
    const bot = this.state.fighters.get(id);
    if (bot === undefined || bot.health === 0) return;
    const { heading, shot } = pilot.decide(bot, this.state.fighters.values(), this.state.cells);
    bot.controls.heading = heading;
    bot.controls.trigger = shot;
  }

  #steer(client: Client, heading: Heading): void {
    if (isTooFast(heading)) return this.#kick(client);
    const fighter = this.state.fighters.get(client.sessionId);
    if (fighter !== undefined) fighter.controls.heading = heading;
  }

  #fire(client: Client, heading: Heading): void {
    if (heading.dx === 0 && heading.dy === 0) return;
    const fighter = this.state.fighters.get(client.sessionId);
    if (fighter !== undefined) fighter.controls.trigger = heading;
  }

  #loaded(client: Client, assets: number): void {
    this.#loading.get(client.sessionId)?.end({ "loading.assets_count": assets });
  }

  #leads({ score }: FighterState): boolean {
    return [...this.state.fighters.values()].every((rival) => rival.score <= score);
  }

  #kick(client: Client): void {
    sessionOf(client).end("kicked");
    client.leave(KICKED);
  }

  #balanceBots(): void {
    const players = this.state.fighters.size - this.#pilots.size;
    const wanted = SEATS - players;
    while (this.#pilots.size < wanted) this.#addBot();
    for (const id of [...this.#pilots.keys()].slice(wanted)) this.#removeBot(id);
  }

  #addBot(): void {
    this.#bots += 1;
    const id = `bot-${this.#bots}`;
    this.#pilots.set(id, new Pilot(this.#world.map));
    this.#enter(id, new FighterState({ name: id, bot: true }));
  }

  #removeBot(id: string): void {
    this.#pilots.delete(id);
    this.state.fighters.delete(id);
  }

  #enter(id: string, fighter: FighterState): void {
    spawnFighter(this.#world, fighter, this.#random);
    this.state.fighters.set(id, fighter);
  }

  #addCell(): void {
    const cell = new CellState();
    placeCell(this.#world, cell, this.#random);
    this.state.cells.push(cell);
  }
}
