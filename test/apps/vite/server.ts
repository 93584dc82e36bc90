// What colyseus/vite loads, and loads again when it changes.
import { defineRoom, defineServer, Room } from "@colyseus/core";
import { instrument } from "colyseus-otel";
import { startTelemetry } from "colyseus-otel/sdk";

class Arena extends Room {
  override onCreate() {}
  override onJoin() {}
}

startTelemetry();
export const server = defineServer({ rooms: { arena: defineRoom(Arena) } });
export const telemetry = instrument(server, { endpoints: false });
