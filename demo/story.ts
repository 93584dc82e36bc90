import type { PlayReport } from "../example-server/player.ts";
import { gameIs } from "./game.ts";
import type { Say } from "./narrator.ts";
import { layNetwork, type Network } from "./network.ts";
import { playOthers } from "./other-players.ts";
import {
  enter,
  getMatched,
  leave,
  logIn,
  patience,
  play,
  queueInLobby,
  traceIdOf,
  type Entered,
  type Matched,
} from "./players.ts";
import type { Stage, StageWithLobby } from "./stage.ts";
import { within } from "./waiting.ts";

export interface PlayedGame extends PlayReport {
  readonly traceId: string;
  /** Milliseconds from the join request to the first state of the game. */
  readonly joinedIn: number;
}

/**
 * ann logs in and asks for a match in the lobby, the matchmaker has a server allocated for her, and she plays; meanwhile
 * the others come and go. Then it is the lobby again, a second match, and a goodbye.
 */
export async function playStory(stage: StageWithLobby, say: Say): Promise<void> {
  const pass = await logIn(stage, "ann", { lobby: true });
  say("ann", `is logged in and goes to the lobby: trace ${traceIdOf(pass)}`);
  const matched = await queueInLobby(stage, "ann", pass);
  await sayAllocated(stage, matched, say);
  const network = await layNetwork(matched.server?.url ?? stage.url);
  const entered = await enter(stage, matched, { url: network.url });
  const { roomId } = entered.player.room;
  say("ann", `joined room ${roomId} in ${entered.joinedIn.toFixed(0)} ms, and plays`);
  const others = playOthers(stage, roomId, say);
  const [session] = await Promise.all([stay(stage, entered, network, others, say), others]);
  const again = await queueInLobby(stage, "ann", { ...pass, session });
  await playShort(stage, "ann", await enter(stage, again), say, "a second match");
  await stage.services.logout(pass);
  say("ann", "logged out");
}

export async function sayAllocated(stage: Stage, { name, server }: Matched, say: Say): Promise<void> {
  const { allocator } = stage.orchestration;
  if (server === undefined || allocator === undefined)
    say("matchmaker", "no allocation: the sidecar is not ours, and has no allocation service");
  else {
    say("matchmaker", allocator.sayAllocated(server.name));
    say(name, `is sent to ${server.url}`);
    // A player who is faster than the allocation's watch message would have the map loaded by their room.create.
    await gameIs(["allocated"], stage);
    if (stage.options.zeroCode) await prepare(server.url);
  }
}

async function prepare(url: string): Promise<void> {
  const asked = `${url.replace(/^ws/, "http")}/prepare`;
  const { status } = await fetch(asked, { method: "POST" });
  if (status !== 204) throw new Error(`the game server has not prepared itself: ${status} from ${asked}`);
}

/**
 * Until she is the last in the room. Resolves with the session for the way back: the room still stands then, as core
 * waits a second after a held seat was given up before it disposes of an empty one.
 */
async function stay(stage: Stage, { player }: Entered, network: Network, others: Promise<void>, say: Say) {
  // The SDK comes back by itself, but not to a room that it has been in for less than five seconds.
  player.room.reconnection.minUptime = 0;
  await play(stage, "ann", player, 0.1);
  const back = new Promise<void>((resolve) => player.room.onReconnect.once(() => resolve()));
  const dropped = performance.now();
  network.interrupt();
  await within("ann to be back", back, patience(stage));
  say("ann", `dropped, and the SDK brought her back after ${(performance.now() - dropped).toFixed(0)} ms`);
  let came = false;
  const allCame = (): void => void (came = true);
  // Whoever waits for the others hears of what went wrong.
  others.then(allCame, allCame);
  const isAlone = () => [...player.room.state.fighters.values()].filter(({ bot }) => !bot).length === 1;
  await within("ann to be alone", player.play({ until: () => came && isAlone() }), patience(stage));
  const session = await within("the arena to say how ann goes on", player.askForLobby(), patience(stage));
  const { moves, score } = await leave(stage, "ann", player);
  say("ann", `left after ${moves} moves, score ${score}, back to the lobby`);
  return session;
}

/** Who is in plays a short while, and leaves. */
export async function playShort(
  stage: Stage,
  name: string,
  { player }: Entered,
  say: Say,
  what = "a match",
): Promise<void> {
  await play(stage, name, player, 0.4);
  const { score } = await leave(stage, name, player);
  say(name, `played ${what} in room ${player.room.roomId}, score ${score}`);
}

/** Another player on the server that is already allocated. */
export async function playAgain(stage: Stage, name: string, seconds: number): Promise<PlayedGame> {
  const matched = await getMatched(stage, name);
  const { player, joinedIn } = await enter(stage, matched);
  await play(stage, name, player, seconds);
  return { ...(await leave(stage, name, player)), joinedIn, traceId: traceIdOf(matched.pass) };
}
