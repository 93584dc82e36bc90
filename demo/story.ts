import type { PlayReport } from "../example-server/player.ts";
import { gameIs } from "./game.ts";
import type { Say } from "./narrator.ts";
import { layNetwork, type Network } from "./network.ts";
import { playOthers } from "./other-players.ts";
import { enter, getMatched, leave, logIn, patience, play, traceIdOf, type Entered, type Matched } from "./players.ts";
import type { Stage } from "./stage.ts";
import { within } from "./waiting.ts";

export interface PlayedGame extends PlayReport {
  readonly traceId: string;
  /** Milliseconds from the join request to the first state of the game. */
  readonly joinedIn: number;
}

/**
 * ann logs in and asks for a match, the matchmaker has a server allocated for her, and she plays; meanwhile the others
 * come and go.
 */
export async function playStory(stage: Stage, say: Say): Promise<void> {
  const ann = await queue(stage, say);
  const network = await layNetwork(ann.server?.url ?? stage.url);
  const entered = await enter(stage, ann, { url: network.url });
  const { roomId } = entered.player.room;
  say("ann", `joined room ${roomId} in ${entered.joinedIn.toFixed(0)} ms, and plays`);
  await Promise.all([stay(stage, entered, network, say), playOthers(stage, roomId, say)]);
}

async function queue(stage: Stage, say: Say): Promise<Matched> {
  const pass = await logIn(stage, "ann");
  say("ann", `is logged in and queues: trace ${traceIdOf(pass)}`);
  const { server } = await stage.services.match(pass);
  if (server === undefined) say("matchmaker", "no allocation: the sidecar is not ours, and has no allocation service");
  else {
    say("matchmaker", `${server.name} is allocated; its annotation carries the trace context`);
    say("matchmaker", `ann is sent to ${server.url}`);
    // A player who is faster than the allocation's watch message would have the map loaded by their room.create.
    await gameIs("allocated", stage);
    if (stage.zeroCode) await prepare(server.url);
  }
  return { name: "ann", pass, server };
}

async function prepare(url: string): Promise<void> {
  const asked = `${url.replace(/^ws/, "http")}/prepare`;
  const { status } = await fetch(asked, { method: "POST" });
  if (status !== 204) throw new Error(`the game server has not prepared itself: ${status} from ${asked}`);
}

// The drop comes early and the long play after it: the tree's bars are drawn to scale up to the last long silence.
async function stay(stage: Stage, { player }: Entered, network: Network, say: Say): Promise<void> {
  // The SDK comes back by itself, but not to a room that it has been in for less than five seconds.
  player.room.reconnection.minUptime = 0;
  await play(stage, "ann", player, 0.1);
  const back = new Promise<void>((resolve) => player.room.onReconnect.once(() => resolve()));
  const dropped = performance.now();
  network.interrupt();
  await within("ann to be back", back, patience(stage));
  say("ann", `dropped, and the SDK brought her back after ${(performance.now() - dropped).toFixed(0)} ms`);
  await play(stage, "ann", player, 3);
  const { moves, score } = await leave(stage, "ann", player);
  say("ann", `left after ${moves} moves, score ${score}`);
}

/** Another player on the server that is already allocated. */
export async function playAgain(stage: Stage, name: string, seconds: number): Promise<PlayedGame> {
  const matched = await getMatched(stage, name);
  const { player, joinedIn } = await enter(stage, matched);
  await play(stage, name, player, seconds);
  return { ...(await leave(stage, name, player)), joinedIn, traceId: traceIdOf(matched.pass) };
}
