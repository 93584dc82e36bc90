import { scaleFromZero } from "../standins/fleet-autoscaler.ts";
import { gameIs } from "./game.ts";
import type { Say } from "./narrator.ts";
import { enter, getMatched, logIn, traceIdOf, type Entered } from "./players.ts";
import { raiseGame, type Backstage, type Stage } from "./stage.ts";
import { playShort, sayAllocated } from "./story.ts";

/** ann is matched before there is a server: the matchmaker asks until the fleet has started one. */
export async function playCold(stack: AsyncDisposableStack, backstage: Backstage, say: Say): Promise<Stage> {
  const { services, orchestration } = backstage;
  if (!orchestration.allocator) throw new Error("--cold needs an allocation service, and the sidecar is not ours");
  const pass = await logIn(backstage, "ann");
  say("ann", `is logged in and asks for a match: trace ${traceIdOf(pass)}`);
  const scaled = scaleFromZero(orchestration.allocator.refusal(), () => {
    say("fleet", "there was no server: what stands in for the FleetAutoscaler starts one");
    return raiseGame(stack, backstage, say);
  });
  const [match, stage] = await Promise.all([services.match(pass), scaled]);
  const matched = { name: "ann", pass, ...match };
  say("matchmaker", `had to ask ${match.server?.attempts} times`);
  await sayAllocated(stage, matched, say);
  await playShort(stage, "ann", await enter(stage, matched), say);
  return stage;
}

/** A match for ann, and when its server is Ready again, one for bob. */
export async function playReused(stage: Stage, say: Say): Promise<void> {
  if (!stage.orchestration.allocator)
    throw new Error("--reused needs an allocation service, and the sidecar is not ours");
  await playAllocated(stage, "ann", say);
  await gameIs(["ready"], stage);
  say("game", "its last room is gone: Ready again");
  await playAllocated(stage, "bob", say);
}

async function playAllocated(stage: Stage, name: string, say: Say): Promise<void> {
  const matched = await getMatched(stage, name);
  say(name, `is logged in and was matched: trace ${traceIdOf(matched.pass)}`);
  await sayAllocated(stage, matched, say);
  await playShort(stage, name, await enter(stage, matched), say);
}

/** A game session for ann, to which bob is sent as well: each with a player session. */
export async function playGameSession(stage: Stage, say: Say): Promise<void> {
  const ann = await getMatched(stage, "ann");
  say("ann", `is logged in and was matched: trace ${traceIdOf(ann.pass)}`);
  await sayAllocated(stage, ann, say);
  const bob = await getMatched(stage, "bob");
  const entered = [await enter(stage, ann), await enter(stage, bob)] as const;
  say("players", "ann and bob joined, and show their player sessions");
  await Promise.all([playShort(stage, "ann", entered[0], say), playShort(stage, "bob", entered[1], say)]);
}

/** ann and bob know where the game is, and ask nobody. */
export async function playAlone(stage: Stage, say: Say): Promise<void> {
  const ann = await enterUnmatched(stage, "ann", say);
  const bob = await enterUnmatched(stage, "bob", say);
  await Promise.all([playShort(stage, "ann", ann, say), playShort(stage, "bob", bob, say)]);
}

async function enterUnmatched(stage: Stage, name: string, say: Say): Promise<Entered> {
  const pass = await logIn(stage, name);
  say(name, `is logged in and goes to the arena: trace ${traceIdOf(pass)}`);
  return enter(stage, { name, pass });
}
