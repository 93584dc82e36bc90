import { defineRoom, defineServer, Room } from "@colyseus/core";
import { boot } from "@colyseus/testing";
import { instrument } from "colyseus-otel";
import { expect, test } from "vitest";
import { until } from "../../_server.ts";
import { recordTelemetry } from "../../_telemetry.ts";

class Arena extends Room {
  override onJoin() {}
}

test("a server that boot() of @colyseus/testing starts is traced, and shut down with it", async () => {
  const own = recordTelemetry();
  const server = defineServer({ rooms: { arena: defineRoom(Arena) }, greet: false });
  const { tracerProvider, meterProvider } = own;
  await using telemetry = instrument(server, { tracerProvider, meterProvider, endpoints: false });
  const tested = await boot(server);
  await telemetry.ready;
  const room = await tested.createRoom("arena", {});
  const client = await tested.connectTo(room);
  expect(room.clients.getById(client.sessionId)).toBeDefined();
  await client.leave();
  await until("the end of the session", () => own.named("session.lifecycle").length === 1);
  await tested.shutdown();
  const join = own.one("room.join arena");
  expect(own.one("room.on_join arena").parentSpanContext?.spanId).toBe(join.spanContext().spanId);
  expect(own.named("gameserver.boot")).toHaveLength(1);
});
