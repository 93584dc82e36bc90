// instrument() in a program that starts no SDK: everything is a no-op.
import { defineRoom, defineServer } from "colyseus";
import { instrument } from "colyseus-otel";
import { agones } from "colyseus-otel/agones";
import { ArenaRoom } from "./arena.mjs";

export const server = defineServer({ rooms: { arena: defineRoom(ArenaRoom) } });
export const telemetry = instrument(server, {
  orchestrator: agones(),
  endpoints: { port: Number(process.env.METRICS_PORT ?? 9464) },
});
await server.listen(Number(process.env.PORT ?? 2567));
