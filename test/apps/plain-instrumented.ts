// A program that has the two lines already; PLAIN=late has them in the wrong order, PLAIN=meanwhile listens meanwhile.
import { defineRoom, defineServer, Room } from "@colyseus/core";
import { instrument } from "colyseus-otel";
import { startTelemetry } from "colyseus-otel/sdk";
import type { AddressInfo } from "node:net";

class Arena extends Room {
  override onJoin() {}
}

startTelemetry({ resource: { "game.build": "own" } });
const server = defineServer({ rooms: { arena: defineRoom(Arena) }, greet: false });
const when = process.env["PLAIN"];
const listening = when === undefined ? undefined : server.listen(0, "127.0.0.1");
if (when === "late") {
  await listening;
}
const telemetry = instrument(server, { endpoints: { port: 0 } });
await (listening ?? server.listen(0, "127.0.0.1"));
await telemetry.ready;
const { port } = server.transport.server!.address() as AddressInfo;
process.send?.({ type: "app:listening", port, endpoints: telemetry.endpoints });
