import { Room, type Client } from "@colyseus/core";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { CallFault } from "../standins/gamelift-socket.ts";
import { startFleet } from "./_gamelift.ts";
import { until } from "./_server.ts";

class Arena extends Room {}

const playerSessionOf = (_client: Client, options: unknown) => (options as { seat?: string }).seat;

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

afterEach(() => vi.restoreAllMocks());

const WRONG = fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.jsonValue(), { maxLength: 2 }));
const PUSHES = ["CreateGameSession", "UpdateGameSession", "TerminateProcess", "RefreshConnection"];

/** Each is no good for one reason, which is known: told apart here by how they are made, and not by looking. */
const FRAMES = fc.oneof(
  fc
    .string({ maxLength: 50 })
    .filter((text) => !text.trim().startsWith("{"))
    .map((text) => ["not_json", text] as const),
  fc.constantFrom("{", "[]", "null", "7", '"x"', "{}}", "").map((text) => ["not_json", text] as const),
  fc.uint8Array({ maxLength: 50 }).map((bytes) => ["not_json", Buffer.from(bytes)] as const),
  record("wrong_type", { Action: fc.constant("CreateGameSession"), GameSessionId: fc.oneof(WRONG, fc.constant("")) }),
  record("wrong_type", { Action: fc.constant("UpdateGameSession"), GameSession: WRONG }),
  record("wrong_type", {
    Action: fc.constant("TerminateProcess"),
    TerminationTime: fc.oneof(fc.string(), fc.boolean(), fc.array(fc.integer())),
  }),
  record("wrong_type", {
    Action: fc.constant("RefreshConnection"),
    RefreshConnectionEndpoint: WRONG,
    AuthToken: WRONG,
  }),
  record("unknown_action", {
    Action: fc.oneof(
      WRONG,
      fc.string().filter((text) => !PUSHES.includes(text)),
    ),
    __proto__: fc.jsonValue(),
  }),
  record("unasked_answer", {
    Action: fc.constantFrom("AcceptPlayerSession", "HeartbeatServerProcess"),
    RequestId: fc.string({ minLength: 1 }),
    StatusCode: fc.oneof(WRONG, fc.constantFrom(200, 400, 500)),
  }),
);

function record(kind: string, fields: Record<string, fc.Arbitrary<unknown>>) {
  return fc.record(fields).map((frame) => [kind, JSON.stringify(frame)] as const);
}

test("frames that are no good: each is counted by what it is, one line a kind is said, and nothing is lost", async () => {
  await using fleet = await startFleet(Arena, { options: { playerSessionOf } });
  const { service, gamelift, game } = fleet;
  await game.telemetry.ready;
  const id = service.createGameSession();
  const seat = service.createPlayerSession(id);
  const room = await game.client().joinOrCreate("arena", { seat });
  await service.waitFor("the player", () => service.playerSessions.get(seat)?.Status === "ACTIVE");
  await until("all answers", () => game.recorded.named("gamelift.accept_player_session").length === 1);

  const sent: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(fc.array(FRAMES, { maxLength: 40 }), async (frames) => {
      for (const [kind, frame] of frames) {
        sent[`kind=${kind}`] = (sent[`kind=${kind}`] ?? 0) + 1;
        service.send(frame);
      }
      // Whatever came before it, this is answered: and by then all of them were read.
      await gamelift.updatePlayerSessionCreationPolicy("ACCEPT_ALL");
      expect(await game.recorded.points("gameserver.orchestrator.faults")).toEqual(sent);
    }),
  );

  expect(Object.keys(sent)).toHaveLength(4);
  const said = vi.mocked(console.warn).mock.calls.map(([line]) => String(line));
  expect(said).toHaveLength(4);
  expect(Math.max(...said.map((line) => line.length))).toBeLessThan(400);
  expect(service.connections).toHaveLength(1);
  expect(gamelift.gameSession?.GameSessionId).toBe(id);
  expect(service.playerSessions.get(seat)?.Status).toBe("ACTIVE");
  expect(room.connection.isOpen).toBe(true);
  await room.leave();
  await service.waitFor("the player to be removed", () => service.playerSessions.get(seat)?.Status === "COMPLETED");
});

const FAULT = fc.oneof(
  fc.constantFrom<CallFault>("silence", "cut", "cut_after", { status: 500 }, { status: 503 }),
  fc.constantFrom<CallFault>({ text: "" }, { text: "{}" }, { text: '{"Action":"CreateGameSession"}' }),
);
const ACTIONS = [
  "ActivateServerProcess",
  "HeartbeatServerProcess",
  "ActivateGameSession",
  "AcceptPlayerSession",
  "RemovePlayerSession",
];

test("whatever breaks at whichever message, the game session and its player come through", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.constantFrom(...ACTIONS), fc.array(FAULT, { minLength: 1, maxLength: 3 }), { minKeys: 1 }),
      fc.array(fc.constantFrom("cut", "refresh", "none"), { minLength: 3, maxLength: 3 }),
      async (faults, between) => {
        await using fleet = await startFleet(Arena, {
          options: { playerSessionOf },
          timings: { call: 80, activateProcess: 80, flush: 50, heartbeat: 50, heartbeatJitter: 10 },
          before: (service) => ACTIONS.forEach((action) => service.fault(action, ...(faults[action] ?? []))),
        });
        const { service, game } = fleet;
        const disturb = (how: string | undefined) => {
          if (how === "cut") {
            service.cut();
          } else if (how !== "none") {
            service.refresh();
          }
        };
        await game.telemetry.ready;
        disturb(between[0]);
        const id = service.createGameSession();
        await until("the game session", () => {
          service.repeatGameSession(id);
          return fleet.gamelift.gameSession;
        });
        disturb(between[1]);
        await service.waitFor("the game session", () => service.gameSessions.get(id)?.status === "ACTIVE");
        const seat = service.createPlayerSession(id);
        const room = await game.client().joinOrCreate("arena", { seat });
        disturb(between[2]);
        await service.waitFor("the player", () => service.playerSessions.get(seat)?.Status === "ACTIVE");
        await room.leave();
        await service.waitFor("the player's end", () => service.playerSessions.get(seat)?.Status === "COMPLETED");
        await service.waitFor("a heartbeat", () => service.process().heartbeats.includes(true));
      },
    ),
    { numRuns: 10, endOnFailure: true },
  );
}, 60_000);
