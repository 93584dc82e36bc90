import { defineRoom, defineServer, Room } from "colyseus";
import { instrument } from "colyseus-otel";
import { agones } from "colyseus-otel/agones";
import { startTelemetry } from "colyseus-otel/sdk";

class ArenaRoom extends Room {
  autoDispose = false;
  static async onAuth(token, options) {
    return { name: options.name };
  }
  onJoin() {}
  onLeave() {}
}

startTelemetry();
export const server = defineServer({ rooms: { arena: defineRoom(ArenaRoom) } });
export const telemetry = instrument(server, { orchestrator: agones(), endpoints: { port: 0 } });
await server.listen(Number(process.env.PORT ?? 2567));
