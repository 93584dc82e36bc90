import { withTraceContext, type TraceCarrier } from "colyseus-otel/client";
import { visitLobby } from "../example-server/lobby/visit.ts";
import { connectPlayer, type Player, type PlayReport } from "../example-server/player.ts";
import type { GameAddress, LoginRequest, Pass } from "./services/protocol.ts";
import type { Stage, StageWithLobby } from "./stage.ts";
import { within } from "./waiting.ts";

/** What gets a player into a room: the login's, or that of the room they come from. */
interface Entry {
  readonly ticket: string;
  readonly session: TraceCarrier;
}

/** A player who is logged in and has been matched. */
export interface Matched {
  readonly name: string;
  readonly pass: Entry;
  /** Undefined where there is no allocation service. */
  readonly server?: Pick<GameAddress, "name" | "url" | "playerSession"> | undefined;
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

export function logIn(
  { services }: Pick<Stage, "services">,
  player: string,
  more?: Pick<LoginRequest, "lobby">,
): Promise<Pass> {
  return services.login({ player, version: "1.4.2", platform: "linux", ...more });
}

/** To the lobby and out again, with a match. */
export async function queueInLobby(stage: StageWithLobby, name: string, { ticket, session }: Entry): Promise<Matched> {
  const visiting = visitLobby({ url: stage.lobbyUrl, ticket, session });
  const found = await within(`${name} to be matched in the lobby`, visiting, {
    timeout: 20_000,
    unless: stage.game.gone,
  });
  return { name, pass: { ticket, session: found.session }, server: found.server };
}

export async function getMatched(stage: Stage, name: string): Promise<Matched> {
  const pass = await logIn(stage, name);
  return { name, pass, ...(await stage.services.match(pass)) };
}

/** @throws the SDK's MatchMakeError when the game refuses the player */
export async function enter(stage: Stage, { name, pass, server }: Matched, way: Way = {}): Promise<Entered> {
  const { playerSession } = server ?? {};
  const options = { ...withTraceContext(playerSession === undefined ? {} : { playerSession }, pass.session) };
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

export function traceIdOf({ session }: Entry): string {
  return session.traceparent?.split("-")[1] ?? "";
}

export function patience({ game }: Stage) {
  return { timeout: 10_000, unless: game.gone };
}
