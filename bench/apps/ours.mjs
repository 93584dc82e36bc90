// Everything on, as a user gets it.
import { defineRoom, defineServer } from "colyseus";
import { instrument } from "colyseus-otel";
import { agones } from "colyseus-otel/agones";
import { startTelemetry } from "colyseus-otel/sdk";
import { ArenaRoom } from "./arena.mjs";

startTelemetry();
export const server = defineServer({ rooms: { arena: defineRoom(ArenaRoom) } });
export const telemetry = instrument(server, {
  orchestrator: agones({ transport: process.env.BENCH_TRANSPORT ?? "grpc" }),
  endpoints: { port: Number(process.env.METRICS_PORT ?? 9464) },
  ...(process.env.BENCH_MESSAGES === "1" && { messages: true }),
});
await server.listen(Number(process.env.PORT ?? 2567));
