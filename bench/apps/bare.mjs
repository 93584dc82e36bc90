// Colyseus alone, and the Agones SDK by hand.
import { defineRoom, defineServer } from "colyseus";
import { tellAgones } from "./agones-by-hand.mjs";
import { ArenaRoom } from "./arena.mjs";

export const server = defineServer({ rooms: { arena: defineRoom(ArenaRoom) } });
await server.listen(Number(process.env.PORT ?? 2567));
await tellAgones();
