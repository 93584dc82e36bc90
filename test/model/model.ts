import { endReason, endType, isLost, refusal } from "./ends.ts";
import { Counts } from "./points.ts";
import { RULES, type RoomType } from "./rooms.ts";
import { phaseOf, type ModelRoom, type Player, type Session } from "./state.ts";

/** What the server should have told, worked out from what was done to it. */
export class Model {
  readonly rooms = new Map<string, ModelRoom>();
  /** `session.end_reason` of the sessions that are over. */
  readonly ends = new Map<string, string>();
  readonly #counts = new Counts();

  get players(): Player[] {
    return [...this.rooms.values()].flatMap(({ players }) => [...players.values()]);
  }

  /** A matchmaking request; without a room where none is known, without an error when it got a seat. */
  asked(room: string | undefined, error?: string, traced = false): void {
    this.#counts.count("colyseus.matchmake.duration", { room, "error.type": error });
    this.#counts.count("colyseus.trace_context", { source: "join_options", outcome: traced ? "continued" : "absent" });
    this.#counts.count("colyseus.trace_context", { source: "header", outcome: "absent" });
  }

  /** A matchmaking request that got no seat. A request to reconnect asks for none. */
  refused(room: string | undefined, error: string, kind: "new" | "reconnect" = "new"): void {
    const outcome = refusal(error);
    this.asked(room, error);
    this.#counts.count("colyseus.joins", { room, kind, outcome });
    if (kind === "new") {
      this.#counts.count("colyseus.seat.reservations", { room, outcome });
    }
  }

  /** Server code that asked a full room for a seat. */
  refusedServerCode(room: ModelRoom): void {
    this.#counts.count("colyseus.seat.reservations", { room: room.type, outcome: "refused_full" });
  }

  created(type: RoomType, id: string): ModelRoom {
    const room = { id, type, rules: RULES[type], players: new Map(), seats: new Map(), locked: false };
    this.rooms.set(id, room);
    return room;
  }

  /** `mover` is who has the seat from a queue. */
  reserved(room: ModelRoom, id: string, mover?: Player): void {
    room.seats.set(id, mover?.session);
    if (mover) {
      mover.session.stays += 1;
    }
  }

  expired(room: ModelRoom, id: string): void {
    const session = room.seats.get(id);
    room.seats.delete(id);
    this.#counts.count("colyseus.seat.reservations", { room: room.type, outcome: "expired" });
    if (session) {
      this.#leave(session, session.reason);
    }
    this.#dispose(room);
  }

  joined(room: ModelRoom, id: string): Player {
    const player = { id, room, session: this.#claimed(room, id), dropped: undefined, loading: false };
    room.players.set(id, player);
    return player;
  }

  /** A socket claimed the seat, and the join was not confirmed. */
  notJoined(room: ModelRoom, id: string, error: string): void {
    this.#leave(this.#claimed(room, id, error), "join_failed");
    this.#dispose(room);
  }

  left(player: Player, code: number, named?: string): void {
    const { room, session } = player;
    this.#disconnected(player);
    if (isLost(code)) {
      this.#counts.count("colyseus.drops", { room: room.type, outcome: "lost" });
    }
    room.players.delete(player.id);
    this.#leave(session, named ?? endReason(code, room.rules.queue));
    this.#dispose(room);
  }

  /** Begins to load, or has loaded. */
  loaded(player: Player): void {
    this.#phaseOver(player);
    player.loading = !player.loading;
  }

  held(player: Player, code: number): void {
    this.#disconnected(player);
    this.#counts.count("colyseus.drops", { room: player.room.type, outcome: "held" });
    Object.assign(player, { dropped: code, loading: false });
  }

  returned(player: Player): void {
    const room = player.room.type;
    this.#phaseOver(player);
    player.dropped = undefined;
    this.#counts.count("colyseus.reconnects", { room, outcome: "returned" });
    this.#counts.count("colyseus.reconnect.gap", { room });
    this.#counts.count("colyseus.join.duration", { room });
    this.#counts.count("colyseus.joins", { room, kind: "reconnect", outcome: "accepted" });
  }

  /** The player came back in vain. */
  notReturned(player: Player, error: string): void {
    const room = player.room.type;
    this.#counts.count("colyseus.join.duration", { room, "error.type": error });
    this.#counts.count("colyseus.joins", { room, kind: "reconnect", outcome: "error" });
    this.gone(player, "refused");
  }

  /** A held seat to which nobody came back. */
  gone(player: Player, outcome: "expired" | "refused" | "abandoned"): void {
    const { room, session, dropped } = player;
    this.#counts.count("colyseus.reconnects", { room: room.type, outcome });
    this.#phaseOver(player);
    room.players.delete(player.id);
    this.#leave(session, outcome === "abandoned" ? endReason(dropped!, false) : "timeout");
  }

  closed(room: ModelRoom, code: number): void {
    for (const id of room.seats.keys()) {
      this.expired(room, id);
    }
    for (const player of room.players.values()) {
      if (player.dropped === undefined) {
        this.left(player, code);
      } else {
        this.gone(player, "abandoned");
      }
    }
    this.#disposed(room);
  }

  /** What should be read now: what was counted, and what there is. */
  points(): Counts {
    const points = new Counts(this.#counts);
    for (const { type, seats } of this.rooms.values()) {
      points.count("colyseus.rooms", { room: type });
      points.add("remembered seats", seats.size);
    }
    for (const player of this.players) {
      points.add("remembered connections", 1);
      points.count("game.sessions", { phase: phaseOf(player) });
      if (player.dropped === undefined) {
        points.count("colyseus.clients", { room: player.room.type });
      }
    }
    return points;
  }

  #claimed({ type, seats }: ModelRoom, id: string, error?: string): Session {
    const mover = seats.get(id);
    seats.delete(id);
    const outcome = error === undefined ? "accepted" : refusal(error);
    this.#counts.count("colyseus.seat.reservations", { room: type, outcome: "consumed" });
    this.#counts.count("colyseus.seat.wait.duration", { room: type });
    this.#counts.count("colyseus.join.duration", { room: type, "error.type": error });
    this.#counts.count("colyseus.joins", { room: type, kind: mover ? "moved" : "new", outcome });
    return mover ?? { id, stays: 1, reason: "" };
  }

  #disconnected(player: Player): void {
    this.#counts.count("colyseus.client.duration", { room: player.room.type });
    this.#phaseOver(player);
  }

  #phaseOver(player: Player): void {
    this.#counts.count("game.session.phase.duration", { phase: phaseOf(player) });
  }

  /** The session ends with the last stay in it. */
  #leave(session: Session, reason: string): void {
    session.stays -= 1;
    session.reason = reason;
    if (session.stays === 0) {
      this.ends.set(session.id, reason);
      this.#counts.count("game.session.ends", { end_reason: reason });
      this.#counts.count("game.session.duration", { end_type: endType(reason) });
      this.#counts.count("game.session.matches", { end_type: endType(reason) });
    }
  }

  #dispose(room: ModelRoom): void {
    if (room.rules.disposes && room.players.size === 0 && room.seats.size === 0) {
      this.#disposed(room);
    }
  }

  #disposed({ id, type }: ModelRoom): void {
    if (this.rooms.delete(id)) {
      this.#counts.count("colyseus.room.lifetime", { room: type });
    }
  }
}
