import fc from "fast-check";
import { anywhere } from "./candidates.ts";
import { command, type Command } from "./command.ts";
import type { Model } from "./model.ts";
import type { ModelRoom, Player } from "./state.ts";
import { claim, reserve, reserveNew } from "./steps.ts";
import type { World } from "./world.ts";

const moves = fc.constantFrom("moves", "confirms first", "never comes");

/** Two players wait in a queue, and move to the match that it makes, each in one session. */
export const QUEUES: fc.Arbitrary<Command>[] = [
  command("queue", fc.tuple(moves, moves), anywhere, async (model, world, _, ways) => {
    const { room: lobby, id } = await reserveNew(model, world, "lobby");
    const ids = [id, await reserve(model, world, lobby)];
    const queued = ids.map((each) => model.joined(lobby, each));
    const [seat] = await Promise.all(ids.map((each) => world.match(each)));
    const match = model.created("match", seat!.roomId);
    for (const player of queued) {
      model.reserved(match, player.id, player);
    }
    await Promise.all(queued.map((player, at) => move(model, world, player, match, ways[at]!)));
  }),
];

async function move(model: Model, world: World, player: Player, match: ModelRoom, way: string): Promise<void> {
  const queue = world.connection(player);
  if (way === "moves") {
    await claim(model, world, match, player.id);
  }
  queue.send("confirm");
  await world.disconnected(player);
  model.left(player, 1000);
  if (way === "confirms first") {
    await claim(model, world, match, player.id);
  }
}
