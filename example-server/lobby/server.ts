import { defineRoom, defineServer } from "@colyseus/core";
import { instrument, type Trust } from "colyseus-otel";
import { startTelemetry } from "colyseus-otel/sdk";
import { LobbyRoom } from "./lobby-room.ts";

const server = defineServer({ rooms: { lobby: defineRoom(LobbyRoom) }, greet: false });

startTelemetry();
instrument(server, {
  trust: (process.env.ARENA_TRUST ?? "continue") as Trust,
  session: {
    linger: Number(process.env.ARENA_LINGER_MS ?? 15_000),
    phaseOf: (room) => (room.roomName === "lobby" ? "matchmaking" : undefined),
  },
  endpoints: false,
});

await server.listen(Number(process.env.LOBBY_PORT ?? 2568));

const address = server.transport.server?.address();
const port = typeof address === "object" ? address?.port : undefined;
process.send?.({ type: "lobby:listening", port });
