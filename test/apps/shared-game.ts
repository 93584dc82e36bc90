// One game server of several that share a Redis, set by APP (JSON).
import { defineRoom, defineServer, matchMaker, Room, type Client } from "@colyseus/core";
import { RedisDriver } from "@colyseus/redis-driver";
import { RedisPresence } from "@colyseus/redis-presence";
import { instrument, sessionOf } from "colyseus-otel";
import { startTelemetry } from "colyseus-otel/sdk";
import type { SharedGameOptions } from "../real/_shared-games.ts";

const { redis, port, publicAddress, homeOf, linger } = JSON.parse(process.env["APP"] ?? "{}") as SharedGameOptions;
/** Which process makes the rooms of a type, in Redis. */
const HOMES = "test:homes";

startTelemetry();
class Lobby extends Room {
  override messages = {
    carrier: (client: Client) => client.send("carrier", sessionOf(client).carrier()),
  };
}
class Arena extends Lobby {
  override onCreate() {}
  override onJoin() {}
  override async onDrop(client: Client) {
    await this.allowReconnection(client, 20);
  }
  override onLeave() {}
}

const presence = new RedisPresence(redis);
const server = defineServer({
  rooms: { lobby: defineRoom(Lobby), arena: defineRoom(Arena) },
  greet: false,
  presence,
  driver: new RedisDriver(redis),
  publicAddress,
  selectProcessIdToCreateRoom: async (room) => (await presence.hget(HOMES, room)) ?? matchMaker.processId,
});
const telemetry = instrument(server, {
  endpoints: { port: 0 },
  session: { linger, phaseOf: ({ roomName }) => (roomName === "lobby" ? "matchmaking" : undefined) },
});
await server.listen(port, "127.0.0.1");
for (const room of homeOf) {
  await presence.hset(HOMES, room, matchMaker.processId);
}
await telemetry.ready;
process.on("disconnect", () => process.exit());
process.send?.({ type: "app:ready", endpoints: telemetry.endpoints });
