import { matchMaker } from "@colyseus/core";
import fc from "fast-check";
import { roomOf } from "../_server.ts";
import { anywhere, connectedIn, locked, unclaimed, withPlaces } from "./candidates.ts";
import { command, NOTHING, type Command } from "./command.ts";
import type { Model } from "./model.ts";
import type { RoomType } from "./rooms.ts";
import type { ModelRoom } from "./state.ts";
import { claim, enter, goes, reserve } from "./steps.ts";
import type { World } from "./world.ts";

const plain = fc.constantFrom<RoomType>("plain", "small", "guarded", "checked");
const types = fc.oneof(plain, fc.constantFrom<RoomType>("held", "classic"));

/** Ways in: new rooms, rooms by their id, seats of server code, seats that are claimed later or never. */
export const JOINS: fc.Arbitrary<Command>[] = [
  command(
    "create",
    fc.record({ type: fc.oneof(types, fc.constant<RoomType>("lobby")), traced: fc.boolean() }),
    anywhere,
    async (model, world, _, { type, traced }) => {
      await enter(model, world, type, { traced });
    },
  ),
  command(
    "joinOrCreate",
    fc.constantFrom<RoomType>("plain", "guarded", "checked"),
    anywhere,
    async (model, world, _, type) => {
      const { sessionId, roomId } = await world.seat("joinOrCreate", type);
      model.asked(type);
      const room = model.rooms.get(roomId) ?? model.created(type, roomId);
      model.reserved(room, sessionId);
      await claim(model, world, room, sessionId);
    },
  ),
  command(
    "joinById",
    fc.record({ players: fc.integer({ min: 1, max: 3 }), traced: fc.boolean() }),
    (model, { players }) => withPlaces(players)(model),
    async (model, world, room, { players, traced }) => {
      const join = async () => claim(model, world, room, await reserve(model, world, room, { traced }));
      await Promise.all(Array.from({ length: players }, join));
    },
  ),
  command("server code joins", NOTHING, withPlaces(1), async (model, world, room) => {
    const { sessionId } = world.keep(await matchMaker.joinById(room.id, {}));
    model.reserved(room, sessionId);
    await claim(model, world, room, sessionId);
  }),
  command("server code creates", types, anywhere, async (model, world, _, type) => {
    model.created(type, await world.createRoom(type));
  }),
  command("reserve", NOTHING, withPlaces(1), async (model, world, room) => {
    await reserve(model, world, room);
  }),
  command("claim", NOTHING, unclaimed, async (model, world, { room, id }) => {
    await claim(model, world, room, id);
  }),
  command("expire", fc.constantFrom("unclaimed", "claimed too late"), withPlaces(1), expire),
  command("come and go", NOTHING, withPlaces(2), comeAndGo),
  command("lock", NOTHING, withPlaces(1), async (_model, _world, room) => {
    room.locked = true;
    await roomOf(room.id).lock();
  }),
  command("unlock", NOTHING, locked, async (_model, _world, room) => {
    room.locked = false;
    await roomOf(room.id).unlock();
  }),
];

async function expire(model: Model, world: World, room: ModelRoom, how: string): Promise<void> {
  const id = await world.withShortSeats(room.id, () => reserve(model, world, room));
  await world.expired(room.id, id);
  if (how === "claimed too late") {
    await world.joinRefused(id);
  }
  model.expired(room, id);
}

/** Two come while all others go. */
async function comeAndGo(model: Model, world: World, room: ModelRoom): Promise<void> {
  const going = connectedIn(room);
  const seats = [await reserve(model, world, room), await reserve(model, world, room)];
  await Promise.all([
    ...seats.map((id) => claim(model, world, room, id)),
    ...going.map(async (player) => {
      await goes(world, player, "leaves");
      model.left(player, 4000);
    }),
  ]);
}
