import type { SessionCarrier } from "colyseus-otel/backend";

/** `POST /login`. */
export interface LoginRequest {
  readonly player: string;
  readonly version?: string;
  readonly platform?: string;
  /** Plays from the lobby, which asks for the matches, and says goodbye here by `POST /logout`. @default false */
  readonly lobby?: boolean;
}

/** What a player has after the login, and the body of `POST /logout`: the game's own ticket, and what goes into the join options with it. */
export interface Pass {
  readonly ticket: string;
  readonly session: SessionCarrier;
}

/** The answer to `POST /match`, whose body is the pass. */
export interface Match {
  /** Undefined where there is no allocation service to ask for one. */
  readonly server: GameAddress | undefined;
}

export interface GameAddress {
  readonly name: string;
  /** `ws://host:port` */
  readonly url: string;
  /** Calls of the allocation service. */
  readonly attempts: number;
  /** Of GameLift: a join option. */
  readonly playerSession?: string | undefined;
}

/** The body of an answer that is not 200. */
export interface Refusal {
  readonly error: string;
}
