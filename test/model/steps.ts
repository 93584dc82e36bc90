import type { Model } from "./model.ts";
import { holding } from "./returns.ts";
import type { JoinOptions, RoomType } from "./rooms.ts";
import type { ModelRoom, Player } from "./state.ts";
import { PLAYER } from "./trace.ts";
import type { World } from "./world.ts";

export interface Asking extends JoinOptions {
  /** The player has a trace already. */
  readonly traced?: boolean;
}

const TRACEPARENT = `00-${PLAYER.traceId}-${PLAYER.spanId}-01`;

/** Asks for a new room of this type. */
export async function reserveNew(
  model: Model,
  world: World,
  type: RoomType,
  asking: Asking = {},
): Promise<{ readonly room: ModelRoom; readonly id: string }> {
  const { sessionId, roomId } = await world.seat("create", type, optionsOf(asking));
  model.asked(type, undefined, asking.traced);
  const room = model.created(type, roomId);
  model.reserved(room, sessionId);
  return { room, id: sessionId };
}

export async function reserve(model: Model, world: World, room: ModelRoom, asking: Asking = {}): Promise<string> {
  const { sessionId } = await world.seat("joinById", room.id, optionsOf(asking));
  model.asked(room.type, undefined, asking.traced);
  model.reserved(room, sessionId);
  return sessionId;
}

export async function claim(model: Model, world: World, room: ModelRoom, id: string): Promise<Player> {
  await world.join(id);
  return model.joined(room, id);
}

/** A player in a new room of this type. */
export async function enter(model: Model, world: World, type: RoomType, asking?: Asking): Promise<Player> {
  const { room, id } = await reserveNew(model, world, type, asking);
  return claim(model, world, room, id);
}

/** A new room with players until it is full. */
export async function fill(model: Model, world: World, type: RoomType): Promise<ModelRoom> {
  const { room } = await enter(model, world, type);
  while (room.players.size < room.rules.places) {
    await claim(model, world, room, await reserve(model, world, room));
  }
  return room;
}

/** Ways out, by what the server sees as their close code. */
export const WAYS = {
  leaves: { code: 4000, go: (world, player) => void world.connection(player).leave() },
  "says goodbye": { code: 1000, go: (world, player) => world.connection(player).connection.close(1000) },
  "closes the tab": { code: 1005, go: (world, player) => void world.connection(player).leave(false) },
  "loses the network": { code: 1006, go: (world, player) => world.terminate(player) },
  "is sent away": { code: 4400, go: (world, player) => world.client(player).leave(4400) },
} as const satisfies Record<string, { code: number; go: (world: World, player: Player) => void }>;

export type Way = keyof typeof WAYS;

export async function goes(world: World, player: Player, way: Way): Promise<void> {
  WAYS[way].go(world, player);
  await world.disconnected(player);
}

/** Goes, while the room holds the seat. */
export async function drop(
  model: Model,
  world: World,
  player: Player,
  way: Way,
  window: "manual" | "short" = "manual",
): Promise<Player> {
  await holding(player, window, () => goes(world, player, way));
  model.held(player, WAYS[way].code);
  return player;
}

function optionsOf({ traced, ...options }: Asking): object {
  return { rank: 1, ...options, ...(traced && { traceparent: TRACEPARENT }) };
}
