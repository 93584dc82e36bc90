import { until } from "../_server.ts";
import type { Model } from "./model.ts";
import { differences, sumOf, type Points } from "./points.ts";
import { faultsOf } from "./trace.ts";
import type { World } from "./world.ts";

/** Not of players: the boot, and what the clock does. */
const BESIDES = /^(gameserver\.|colyseus\.(tick|patch)\.)|source=environment/;

/** Waits until telemetry says what the model says, and else tells what is not so. */
export async function settle(model: Model, world: World): Promise<void> {
  const expected = sumOf(world.before, model.points());
  await nothing(world, async () => differences(expected, sumOf(await pointsOf(world), rememberedBy(world))));
}

/** The end of a story, when everybody has gone. */
export async function settleForGood(model: Model, world: World): Promise<void> {
  await settle(model, world);
  await nothing(world, () => faultsOf(model, world));
}

export async function pointsOf({ game }: Pick<World, "game">): Promise<Points> {
  const points = await game.recorded.everyPoint();
  return new Map([...points].filter(([point]) => !BESIDES.test(point)));
}

/** What the plugin keeps of players, beside what it tells. */
function rememberedBy({ registry, rooms }: World): Points {
  const seats = Array.from(rooms, (room) => registry.of(room).seats.size);
  return new Map([
    ["remembered connections", registry.open.size],
    ["remembered seats", seats.reduce((sum, size) => sum + size, 0)],
  ]);
}

async function nothing({ patience }: World, faults: () => string[] | Promise<string[]>): Promise<void> {
  let found: string[] = [];
  const none = async () => (found = await faults()).length === 0;
  await until("telemetry to be right", none, patience).catch((cause: unknown) => {
    throw new Error(["telemetry does not say what happened", ...found].join("\n  "), { cause });
  });
}
