import { sessionOf } from "colyseus-otel";
import fc from "fast-check";
import { roomOf } from "../_server.ts";
import { closable, connected, connectedIn, occupied } from "./candidates.ts";
import { command, type Command } from "./command.ts";
import type { Model } from "./model.ts";
import type { ModelRoom } from "./state.ts";
import { goes, WAYS, type Way } from "./steps.ts";
import type { World } from "./world.ts";

const ways = fc.constantFrom(...(Object.keys(WAYS) as Way[]));

/** Players who go, and whose seat is gone with them. */
export const LEAVES: fc.Arbitrary<Command>[] = [
  command("leave", ways, connected, async (model, world, player, way) => {
    await goes(world, player, way);
    model.left(player, WAYS[way].code);
  }),
  command("all leave", ways, occupied, async (model, world, room, way) => {
    const leaving = connectedIn(room);
    await Promise.all(leaving.map((player) => goes(world, player, way)));
    for (const player of leaving) {
      model.left(player, WAYS[way].code);
    }
  }),
  command(
    "kick",
    fc.record({
      code: fc.constantFrom(1000, 4000, 4002, 4003, 4400, 4401),
      named: fc.constantFrom(undefined, "kicked", "banned"),
    }),
    connected,
    async (model, world, player, { code, named }) => {
      const client = world.client(player);
      if (named !== undefined) {
        sessionOf(client).end(named);
      }
      client.leave(code);
      await world.disconnected(player);
      model.left(player, code, named);
    },
  ),
  command("close the room", fc.constantFrom(4000, 4001, 4002, 4010), closable, async (model, _world, room, code) => {
    await close(model, room, code);
  }),
];

/** The end of every story. Players first: a room that holds seats as well waits for a timer of its own. */
export async function closeAll(model: Model, world: World): Promise<void> {
  for (const player of connected(model)) {
    await goes(world, player, "leaves");
    model.left(player, 4000);
  }
  for (const room of model.rooms.values()) {
    await close(model, room, 4000);
  }
}

async function close(model: Model, room: ModelRoom, code: number): Promise<void> {
  await roomOf(room.id).disconnect(code);
  model.closed(room, code);
}
