import { connectPlayer, type Player, type PlayReport } from "../example-server/player.ts";
import type { Match, Pass } from "./services/protocol.ts";
import type { Stage } from "./stage.ts";
import { within } from "./waiting.ts";

/** A player who is logged in and has been matched. */
export interface Matched extends Match {
  readonly name: string;
  readonly pass: Pass;
}

export interface Entered {
  readonly player: Player;
  /** Milliseconds from the join request to the first state of the game. */
  readonly joinedIn: number;
}

export interface Way {
  /** `ws://host:port` @default what the matchmaker says */
  readonly url?: string;
  /** Id of the room where friends are. */
  readonly room?: string;
  /** @default the login's */
  readonly ticket?: string;
}

export function logIn({ services }: Stage, player: string): Promise<Pass> {
  return services.login({ player, version: "1.4.2", platform: "linux" });
}

export async function getMatched(stage: Stage, name: string): Promise<Matched> {
  const pass = await logIn(stage, name);
  return { name, pass, ...(await stage.services.match(pass)) };
}

/** @throws the SDK's MatchMakeError when the game refuses the player */
export async function enter(stage: Stage, { name, pass, server }: Matched, way: Way = {}): Promise<Entered> {
  const options = { ...pass.session };
  const began = performance.now();
  const joining = connectPlayer({ url: server?.url ?? stage.url, ticket: pass.ticket, ...way, options });
  const player = await within(`${name} to be in the arena`, joining, patience(stage));
  return { player, joinedIn: performance.now() - began };
}

/** Plays for so long, or until the connection is gone for good. */
export function play(stage: Stage, name: string, player: Player, seconds: number): Promise<PlayReport> {
  return within(`${name} to have played ${seconds} s`, player.play({ seconds }), patience(stage));
}

export function leave(stage: Stage, name: string, player: Player): Promise<PlayReport> {
  return within(`${name} to have left`, player.leave(), patience(stage));
}

export function traceIdOf({ session }: Pass): string {
  return session.traceparent?.split("-")[1] ?? "";
}

export function patience({ game }: Stage) {
  return { timeout: 10_000, unless: game.gone };
}
