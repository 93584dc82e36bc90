// A game server that knows nothing of telemetry; PLAIN (words) adds what some test needs.
import { defineRoom, defineServer, Room } from "@colyseus/core";
import { metrics } from "@opentelemetry/api";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { parentPort } from "node:worker_threads";

const extras = new Set((process.env["PLAIN"] ?? "").split(" "));

metrics.getMeter("game").createCounter("game.clicks").add(3);
if (extras.has("agones-sdk")) {
  await import("@google-cloud/agones-sdk");
}
if (extras.has("map")) {
  const { mapLoad } = await import("colyseus-otel");
  await mapLoad("early", () => wait(30));
}

class Arena extends Room {
  override onJoin() {}
}

const server = defineServer({ rooms: { arena: defineRoom(Arena) }, greet: false });
if (extras.has("second")) {
  await defineServer({ rooms: {}, greet: false }).listen(0, "127.0.0.1");
}
await server.listen(0, "127.0.0.1");
const { port } = server.transport.server!.address() as AddressInfo;
const { libuv } = process.report.getReport() as {
  libuv: { type: string; is_active: boolean; remoteEndpoint?: object | null }[];
};
const ports = libuv.filter(
  ({ type, is_active, remoteEndpoint }) => type === "tcp" && is_active && !remoteEndpoint,
).length;
const message = { type: "app:listening", port, ports, traced: Object.hasOwn(server, "listen") };
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a worker has none
parentPort?.postMessage(message);
process.send?.(message);
