import { ClientState, matchMaker, type Client, type Room } from "@colyseus/core";
import type { Room as ClientRoom } from "@colyseus/sdk";
import type { PlayerPhase } from "../../src/sessions/player-session.ts";
import type { Registry } from "../../src/sessions/registry.ts";
import { roomOf, until, type MatchmakeAnswer, type TestServer } from "../_server.ts";
import type { Player } from "./state.ts";
import type { Points } from "./points.ts";
import type { OpenSpans } from "./open-spans.ts";
import type { RoomType } from "./rooms.ts";

type Seat = MatchmakeAnswer["body"];

/** Longer than any story. */
const LONG_S = 60;
export const SHORT_S = 0.02;

/** The real server, and the real players that are in it. */
export class World {
  readonly game: TestServer;
  /** By session id. */
  readonly clients = new Map<string, ClientRoom>();
  readonly seats = new Map<string, Seat>();
  /** Phases that the game has begun. */
  readonly loading = new Map<Player, PlayerPhase>();
  /** Every room of the story, also those that are gone. */
  readonly rooms = new Set<Room>();
  readonly registry: Registry;
  readonly open: OpenSpans;
  /** Milliseconds until telemetry must be right. */
  readonly patience: number;
  /** What telemetry said before the story. */
  readonly before: Points;

  constructor({
    game,
    registry,
    open,
    patience,
    before,
  }: Pick<World, "game" | "registry" | "open" | "patience" | "before">) {
    this.game = game;
    this.registry = registry;
    this.open = open;
    this.patience = patience;
    this.before = before;
  }

  /** A matchmaking request that must come out well. */
  async seat(method: string, room: string, options: object = {}): Promise<Seat> {
    const { status, body } = await this.game.request(method, room, options);
    if (status !== 200) {
      throw new Error(`${method} ${room} was refused: ${body.error}`);
    }
    return this.keep(body);
  }

  /** A matchmaking request that must be refused. */
  async refusal(method: string, room: string, options: object = {}): Promise<void> {
    const { status, body } = await this.game.request(method, room, options);
    if (status === 200) {
      throw new Error(`${method} ${room} was not refused, but given the seat ${body.sessionId}`);
    }
  }

  /** What server code was given. */
  keep(seat: object): Seat {
    const kept = seat as Seat;
    this.seats.set(kept.sessionId, kept);
    this.meet(kept.roomId);
    return kept;
  }

  meet(roomId: string): void {
    const room: Room | undefined = roomOf(roomId);
    // A short seat's room may be gone before the answer has come.
    if (room) {
      this.rooms.add(room);
    }
  }

  /** Claims the seat, until the server knows that the player knows. */
  async join(sessionId: string): Promise<void> {
    await this.#claim(sessionId);
    await this.acknowledged(sessionId);
  }

  async joinRefused(sessionId: string): Promise<void> {
    await mustFail(`the seat ${sessionId}`, this.#claim(sessionId));
  }

  /** Claims a seat in the queue, and gives the seat in the match that comes of it. */
  async match(sessionId: string): Promise<Seat> {
    const matched = Promise.withResolvers<Seat>();
    await this.#claim(sessionId);
    const queue = this.clients.get(sessionId)!;
    queue.onMessage("clients", () => {});
    queue.onMessage("seat", matched.resolve);
    return this.keep(await matched.promise);
  }

  /** The player goes while onJoin runs, or what `then` does. */
  async goesWhileJoining(sessionId: string, then?: () => unknown): Promise<void> {
    await this.comesAndGoes(this.seats.get(sessionId)!.roomId, sessionId, "", then);
  }

  client({ id, room }: Player): Client {
    return roomOf(room.id).clients.get(id)!;
  }

  connection({ id }: Player): ClientRoom {
    return this.clients.get(id)!;
  }

  terminate(player: Player): void {
    (this.client(player).ref as unknown as { terminate(): void }).terminate();
  }

  async disconnected(player: Player): Promise<void> {
    const room: Room | undefined = roomOf(player.room.id);
    await until(`${player.id} to be gone`, () => !room?.clients.get(player.id));
  }

  /** Seats that are reserved meanwhile expire at once. */
  async withShortSeats<T>(roomId: string, reserve: () => Promise<T>): Promise<T> {
    const room = roomOf(roomId);
    room.seatReservationTimeout = SHORT_S;
    const reserved = await reserve();
    room.seatReservationTimeout = LONG_S;
    return reserved;
  }

  async expired(roomId: string, sessionId: string): Promise<void> {
    const room = [...this.rooms].find((one) => one.roomId === roomId)!;
    await until(`the seat ${sessionId} to expire`, () => room["_reservedSeats"][sessionId] === undefined);
  }

  async createRoom(type: RoomType): Promise<string> {
    const { roomId } = await matchMaker.createRoom(type, {});
    this.meet(roomId);
    return roomId;
  }

  /** Everybody goes, and all rooms with them, whatever the model says. */
  async abandon(): Promise<void> {
    for (const { clients } of this.rooms) {
      clients.forEach((client) => client.leave());
      await until("an empty room", () => clients.length === 0).catch(() => {});
    }
    await Promise.allSettled(matchMaker.disconnectAll());
  }

  async #claim(sessionId: string): Promise<void> {
    const seat = this.seats.get(sessionId)!;
    const room = await this.game.client().consumeSeatReservation(seat as never);
    this.clients.set(sessionId, room);
  }

  /** A socket that is closed as soon as the room's hook runs. The SDK closes none before it has joined. */
  async comesAndGoes(roomId: string, sessionId: string, query = "", then?: () => unknown): Promise<void> {
    const url = `${this.game.url.replace("http", "ws")}/${matchMaker.processId}/${roomId}`;
    const socket = new WebSocket(`${url}?sessionId=${sessionId}${query}`);
    const { clients } = roomOf(roomId);
    await until("the hook", () => clients.get(sessionId));
    await (then ?? (() => socket.close()))();
    await until("its end", () => !clients.get(sessionId));
  }

  async acknowledged(sessionId: string): Promise<void> {
    const { clients } = roomOf(this.clients.get(sessionId)!.roomId);
    await until(`${sessionId} to be in`, () => clients.get(sessionId)?.state === ClientState.JOINED);
  }
}

/** What must be refused. */
export async function mustFail(what: string, promise: Promise<unknown>): Promise<void> {
  const came = await promise.then(
    () => true,
    () => false,
  );
  if (came) {
    throw new Error(`${what} was not refused`);
  }
}
