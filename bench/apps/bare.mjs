// Colyseus and the Agones SDK by hand, as https://agones.dev/site/docs/guides/client-sdks/nodejs/ shows it.
import AgonesSDK from "@google-cloud/agones-sdk";
import { defineRoom, defineServer, Room } from "colyseus";

class ArenaRoom extends Room {
  autoDispose = false;
  static async onAuth(token, options) {
    return { name: options.name };
  }
  onJoin() {}
  onLeave() {}
}

export const server = defineServer({ rooms: { arena: defineRoom(ArenaRoom) } });
await server.listen(Number(process.env.PORT ?? 2567));

const agonesSDK = new AgonesSDK();
await agonesSDK.connect();
await agonesSDK.ready();
setInterval(() => agonesSDK.health((error) => console.error("health", error)), 2000);
