import type { PlayReport } from "../example-server/player.ts";
import { connectPlayer } from "../example-server/player.ts";
import type { Say } from "./narrator.ts";
import type { Match, Pass } from "./services/protocol.ts";
import type { Stage } from "./stage.ts";
import { gameIs } from "./game.ts";
import { within } from "./waiting.ts";

export interface PlayedGame extends PlayReport {
  readonly traceId: string;
  /** Milliseconds from the join request to the first state of the game. */
  readonly joinedIn: number;
}

/** A player logs in and asks for a match, the matchmaker has a server allocated for them, and they play. */
export async function playStory(stage: Stage, say: Say): Promise<PlayedGame> {
  const pass = await logIn(stage, "ada");
  say("player", `ada is logged in and queues: trace ${traceIdOf(pass)}`);
  const { server } = await stage.services.match(pass);
  if (server === undefined) say("matchmaker", "no allocation: the sidecar is not ours, and has no allocation service");
  else {
    say("matchmaker", `${server.name} is allocated; its annotation carries the trace context`);
    say("matchmaker", `ada is sent to ${server.url}`);
    // A player who is faster than the allocation's watch message would have the map loaded by their room.create.
    await gameIs("allocated", stage);
    if (stage.zeroCode) await prepare(server.url);
  }
  return play(stage, { name: "ada", pass, server, seconds: 3 }, say);
}

async function prepare(url: string): Promise<void> {
  const asked = `${url.replace(/^ws/, "http")}/prepare`;
  const { status } = await fetch(asked, { method: "POST" });
  if (status !== 204) throw new Error(`the game server has not prepared itself: ${status} from ${asked}`);
}

/** Another player on the server that is already allocated. */
export async function playAgain(stage: Stage, name: string, seconds: number): Promise<PlayedGame> {
  const pass = await logIn(stage, name);
  return play(stage, { name, pass, seconds, ...(await stage.services.match(pass)) });
}

function logIn({ services }: Stage, player: string): Promise<Pass> {
  return services.login({ player, version: "1.4.2", platform: "linux" });
}

interface Seat extends Match {
  readonly name: string;
  readonly pass: Pass;
  readonly seconds: number;
}

async function play(stage: Stage, { name, pass, server, seconds }: Seat, say?: Say): Promise<PlayedGame> {
  const { ticket, session } = pass;
  const wait = { timeout: 10_000, unless: stage.game.gone };
  const began = performance.now();
  const joining = connectPlayer({ url: server?.url ?? stage.url, ticket, options: { ...session } });
  const player = await within(`${name} to be in the arena`, joining, wait);
  const joinedIn = performance.now() - began;
  say?.("player", `${name} joined room ${player.room.roomId} in ${joinedIn.toFixed(0)} ms, and plays`);
  await within(`${name} to have played ${seconds} s`, player.play({ seconds }), wait);
  const report = await within(`${name} to have left`, player.leave(), wait);
  say?.("player", `${name} left after ${report.moves} moves, score ${report.score}`);
  return { ...report, joinedIn, traceId: traceIdOf(pass) };
}

function traceIdOf({ session }: Pass): string {
  return session.traceparent?.split("-")[1] ?? "";
}
