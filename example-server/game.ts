import { defineRoom, defineServer } from "@colyseus/core";
import { ArenaRoom } from "./arena/arena-room.ts";

export { arenaMap } from "./arena/loaded-map.ts";

export const server = defineServer({ rooms: { arena: defineRoom(ArenaRoom) }, greet: false });
