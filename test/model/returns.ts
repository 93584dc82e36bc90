import { roomOf } from "../_server.ts";
import type { Holding } from "./rooms.ts";
import type { Player } from "./state.ts";
import { mustFail, SHORT_S, type World } from "./world.ts";

/** The room holds the seat of who drops meanwhile. */
export async function holding<T>(player: Player, window: "manual" | "short", dropping: () => Promise<T>): Promise<T> {
  const room = roomOf(player.room.id) as Holding;
  room.window = window === "manual" ? window : SHORT_S;
  const outcome = await dropping();
  room.window = "closed";
  return outcome;
}

/** The room holds the seat of who is still there. */
export function holdAhead(world: World, player: Player): void {
  (roomOf(player.room.id) as Holding).holdAhead(world.client(player));
}

/** The SDK comes back by itself, though it has not been up for long. */
export async function returnsByItself(world: World, player: Player): Promise<void> {
  const room = world.connection(player);
  const returned = Promise.withResolvers<void>();
  room.onReconnect(() => returned.resolve());
  Object.assign(room.reconnection, { minUptime: 0, delay: 1, minDelay: 1, maxDelay: 5 });
  await returned.promise;
  room.reconnection.minUptime = Infinity;
  await world.acknowledged(player.id);
}

/** The player comes back with the token, as after a restart of the game. */
export async function returns(world: World, player: Player): Promise<void> {
  const { reconnectionToken } = world.connection(player);
  world.clients.set(player.id, await world.game.client().reconnect(reconnectionToken));
  await world.acknowledged(player.id);
}

/** Comes back in vain: onReconnect throws, or the player is gone again before it is over. */
export async function returnsInVain(
  world: World,
  player: Player,
  how: "refused" | "awaited until they are gone",
): Promise<void> {
  const room = roomOf(player.room.id) as Holding;
  const { roomId, sessionId, reconnectionToken } = world.connection(player);
  room.returns = how;
  if (how === "refused") {
    await mustFail("the return", world.game.client().reconnect(reconnectionToken));
  } else {
    const token = reconnectionToken.split(":")[1];
    await world.game.request("reconnect", roomId, { reconnectionToken: token });
    await world.comesAndGoes(roomId, sessionId, `&reconnectionToken=${token}`);
  }
  await world.disconnected(player);
  room.returns = "welcome";
}

/** The game has no place for the player any more. */
export function givesUp(player: Player): void {
  (roomOf(player.room.id) as Holding).held.get(player.id)!.reject(new Error("given up"));
}
