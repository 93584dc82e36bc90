import type { RoomType, Rules } from "./rooms.ts";

export interface ModelRoom {
  readonly id: string;
  readonly type: RoomType;
  readonly rules: Rules;
  readonly players: Map<string, Player>;
  /** Seats that nobody has claimed yet. */
  readonly seats: Map<string, Session | undefined>;
  /** By the game itself. */
  locked: boolean;
}

export interface Player {
  readonly id: string;
  readonly room: ModelRoom;
  readonly session: Session;
  /** The code with which the player dropped, while the seat is held. */
  dropped: number | undefined;
  loading: boolean;
}

export interface Session {
  readonly id: string;
  /** Seats and connections that keep it open. */
  stays: number;
  reason: string;
}

/** The phase in which a player's session is. */
export function phaseOf({ room, dropped, loading }: Player): string {
  if (dropped !== undefined) {
    return "reconnecting";
  }
  return loading ? "loading" : room.rules.queue ? "matchmaking" : "in_game";
}
