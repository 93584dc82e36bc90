import type { Player } from "../example-server/player.ts";
import type { Say } from "./narrator.ts";
import { layNetwork } from "./network.ts";
import { enter, getMatched, leave, patience, play, type Way } from "./players.ts";
import type { Stage } from "./stage.ts";
import { within } from "./waiting.ts";

/** Who comes while ann plays: three take the seats that are left, two are refused, and the three go in three ways. */
export async function playOthers(stage: Stage, room: string, say: Say): Promise<void> {
  const bob = (await enter(stage, await getMatched(stage, "bob"))).player;
  const kim = (await enter(stage, await getMatched(stage, "kim"))).player;
  const ned = await enterByOwnNetwork(stage, "ned");
  say("players", "bob, kim and ned joined too: the room is full");
  await beRefused(stage, "fay", { room }, say);
  await beRefused(stage, "eve", { ticket: forgedTicket() }, say);
  await Promise.all([
    playAndLeave(stage, bob, say),
    playAndCheat(stage, kim, say),
    play(stage, "ned", ned.player, 0.3).then(() => {
      ned.network.cut();
      say("players", "ned's network broke for good");
    }),
  ]);
}

/** Enters through a network that can be broken. */
async function enterByOwnNetwork(stage: Stage, name: string) {
  const matched = await getMatched(stage, name);
  const network = await layNetwork(matched.server?.url ?? stage.url);
  return { ...(await enter(stage, matched, { url: network.url })), network };
}

async function beRefused(stage: Stage, name: string, way: Way, say: Say): Promise<void> {
  const entering = enter(stage, await getMatched(stage, name), way);
  const refusal = await entering.then(
    () => "",
    (error: Error) => error.message,
  );
  // What should have been refused is the verdict's to name.
  say("players", refusal ? `${name} was refused: ${refusal}` : `${name} was let in`);
}

// Anybody can write a name into a ticket; only the login service can sign it.
function forgedTicket(): string {
  const payload = JSON.stringify({ playerId: "ann", expires: Date.now() + 60_000 });
  return `${Buffer.from(payload).toString("base64url")}.${Buffer.from("eve").toString("base64url")}`;
}

async function playAndLeave(stage: Stage, bob: Player, say: Say): Promise<void> {
  await play(stage, "bob", bob, 1);
  await leave(stage, "bob", bob);
  say("players", "bob left");
}

async function playAndCheat(stage: Stage, kim: Player, say: Say): Promise<void> {
  await play(stage, "kim", kim, 0.5);
  const thrownOut = new Promise<number>((resolve) => void kim.room.onLeave(resolve));
  kim.room.send("move", { dx: 9, dy: 0 });
  const code = await within("kim to be thrown out", thrownOut, patience(stage));
  say("players", `kim moved nine times as fast as anybody can, and was thrown out: ${code}`);
}
