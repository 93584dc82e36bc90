// An ES module as the starter template has it: @colyseus/tools takes what defineServer() gave, and the port is PORT's.
import { listen } from "@colyseus/tools";
import { defineRoom, defineServer, Room } from "colyseus";

class Arena extends Room {
  onJoin() {}
}

const server = await listen(defineServer({ rooms: { arena: defineRoom(Arena) }, greet: false }), 0);
process.send({ type: "app:listening", port: server.transport.server.address().port });
