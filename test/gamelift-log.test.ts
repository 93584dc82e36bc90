import { Room } from "@colyseus/core";
import { expect, test, vi } from "vitest";
import { startFleet } from "./_gamelift.ts";
import { until } from "./_server.ts";

class Arena extends Room {}

test("no key of the fleet's role, and no line break, gets from a message into the log", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  await using fleet = await startFleet(Arena, { timings: { call: 500 } });
  const { service, gamelift, game } = fleet;
  await game.telemetry.ready;
  const late = Promise.withResolvers<void>();
  service.fault("GetFleetRoleCredentials", { before: { StatusCode: "200" } }, { after: late.promise });
  const role = { RoleArn: "arn", RoleSessionName: "arena" };
  await gamelift.getFleetRoleCredentials(role).catch(() => {});
  await expect(gamelift.getFleetRoleCredentials(role)).rejects.toMatchObject({ failure: "timeout" });
  late.resolve();
  const said = () => warned.mock.calls.flat().map(String);
  service.send(JSON.stringify({ Action: "Debug\ncolyseus-otel: a line of its own" }));
  await until("the late answer", () =>
    said().some((line) => line.includes("answered a request that nobody waits for")),
  );
  expect(said().join()).toMatch(/fields are of the wrong type.*"GetFleetRoleCredentials"/);
  expect(said().join()).not.toMatch(/AccessKey|"SK"|\n/);
});
