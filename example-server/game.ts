import { defineRoom, defineServer } from "@colyseus/core";
import { ArenaRoom } from "./arena/arena-room.ts";
import { readyAgain } from "./reuse.ts";

export { arenaMap } from "./arena/loaded-map.ts";

const arena = defineRoom(ArenaRoom);
arena.on("dispose", readyAgain);

export const server = defineServer({ rooms: { arena }, greet: false });
