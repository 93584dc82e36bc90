import { Room } from "@colyseus/core";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { mapLoad, type InstrumentOptions } from "colyseus-otel";
import { agones, type AgonesOptions } from "colyseus-otel/agones";
import { startServer, until, type TestServer } from "./_server.ts";
import { over, SIDECARS, WAYS, type AnySidecar } from "./_sidecars.ts";
import { durationOf, spanTree, startOf } from "./_telemetry.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const REQUEST = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` };
const NEXT_REQUEST = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
const ALLOCATED = "gameserver.allocated";

class Arena extends Room {}

class LoadingArena extends Room {
  override onCreate() {
    return mapLoad("dust2", () => wait(5));
  }
}

afterEach(() => vi.restoreAllMocks());

describe.each(WAYS)("over %s", (way) => {
  describe.each(Object.keys(SIDECARS))("with %s", (kind) => {
    const startSidecar = SIDECARS[kind]!;

    function startGame(
      sidecar: AnySidecar,
      options: AgonesOptions = {},
      room: typeof Arena = Arena,
      more: InstrumentOptions = {},
    ) {
      return startServer({ arena: room }, { orchestrator: agones({ ...over(way, sidecar), ...options }), ...more });
    }

    test("the boot asks for Ready and waits until the GameServer shows it", async () => {
      await using sidecar = await startSidecar();
      await using game = await startGame(sidecar);
      await game.telemetry.ready;
      expect(spanTree(game.recorded.spans())).toMatchInlineSnapshot(`
        "gameserver.boot
          gameserver.boot.load
          agones.connect
          gameserver.boot.prepare
          gameserver.boot.listen
          agones.ready
          agones.wait_for_ready"
      `);
      expect(game.recorded.one("agones.wait_for_ready").attributes["agones.state"]).toBe("Ready");
      expect(await sidecar.state()).toBe("Ready");
      expect(Object.keys(await game.recorded.points("gameserver.boot.duration"))).toContain(
        "outcome=success phase=orchestrator",
      );
    });

    test("the boot's context is handed back, and pings arrive", async () => {
      await using sidecar = await startSidecar();
      await using game = await startGame(sidecar, { healthInterval: 20 });
      await game.telemetry.ready;
      const { traceId, spanId } = game.recorded.one("gameserver.boot").spanContext();
      const handedBack = async () => (await sidecar.annotations())["agones.dev/sdk-traceparent"];
      await until("the context", async () => (await handedBack()) === `00-${traceId}-${spanId}-01`);
      await until("three pings", () => sidecar.pings() >= 3);
    });

    test("a sidecar that comes up late is found within moments", async () => {
      await using sidecar = await startSidecar();
      await sidecar.kill();
      await using game = await startGame(sidecar);
      await wait(300);
      await sidecar.start();
      await game.telemetry.ready;
      expect(game.recorded.one("agones.connect").attributes["agones.attempts"]).toBeGreaterThan(1);
    });

    test("an allocation continues the trace of whoever asked, and lasts until the game has prepared itself", async () => {
      await using sidecar = await startSidecar();
      const seen: string[] = [];
      const prepare: AgonesOptions["onAllocated"] = async ({ objectMeta }) => {
        seen.push(objectMeta!.name);
        await mapLoad("dust2", () => wait(30), { mode: "deathmatch" });
        await wait(30);
      };
      await using game = await startGame(sidecar, { onAllocated: prepare });
      await game.telemetry.ready;
      const asked = Date.now();
      sidecar.allocate({ annotations: REQUEST });
      await until(ALLOCATED, () => game.recorded.named(ALLOCATED).length === 1);
      const allocated = game.recorded.one(ALLOCATED);
      expect([allocated.spanContext().traceId, allocated.parentSpanContext?.spanId]).toEqual([
        TRACE,
        "b7ad6b7169203331",
      ]);
      expect(allocated.links.map(({ context }) => context.spanId)).toEqual([
        game.recorded.one("gameserver.boot").spanContext().spanId,
      ]);
      // The wall clock and the one that times are made of may part by 20 ms.
      expect(startOf(allocated)).toBeGreaterThanOrEqual(asked - 25);
      expect(durationOf(allocated)).toBeGreaterThanOrEqual(58);
      const map = game.recorded.one("gameserver.map_load");
      expect(map.parentSpanContext?.spanId).toBe(allocated.spanContext().spanId);
      expect(map.attributes).toMatchObject({ "game.map": "dust2", "game.mode": "deathmatch" });
      expect(seen).toEqual(["arena-7xk2p"]);
      expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
        "outcome=continued source=annotation": 1,
      });
    });

    test("a server that is used again has an allocation for each match, and a stale context is a link", async () => {
      await using sidecar = await startSidecar();
      await using game = await startGame(sidecar, { onAllocated: () => {} });
      await game.telemetry.ready;
      for (const [turn, annotations] of [REQUEST, {}, NEXT_REQUEST].entries()) {
        sidecar.allocate({ annotations });
        await until(`match ${turn}`, () => game.recorded.named(ALLOCATED).length === turn + 1);
        expect(await stateShown(game)).toBe("allocated");
        sidecar.setState("Allocated");
        sidecar.setState("Ready");
        await until("the next Ready", async () => (await stateShown(game)) === "ready");
      }
      const matches = game.recorded.named(ALLOCATED);
      expect(
        matches.map((one) => [one.attributes["gameserver.start"], one.parentSpanContext?.spanId, one.links.length]),
      ).toEqual([
        ["warm", "b7ad6b7169203331", 1],
        ["reused", undefined, 2],
        ["reused", "00f067aa0ba902b7", 1],
      ]);
      expect(matches[1]!.links[1]!.context.spanId).toBe("b7ad6b7169203331");
    });

    test.runIf(kind !== "sdk-server without last-allocated")(
      "repeated messages are one allocation; an allocated server that is allocated again has a second one",
      async () => {
        await using sidecar = await startSidecar();
        await using game = await startGame(sidecar, { onAllocated: () => {} });
        await game.telemetry.ready;
        sidecar.allocate({ annotations: REQUEST });
        sidecar.setState("Allocated");
        await until("the first", () => game.recorded.named(ALLOCATED).length === 1);
        sidecar.allocate({ annotations: REQUEST });
        await until("the second", () => game.recorded.named(ALLOCATED).length === 2);
        sidecar.setState("Ready");
        await until("the next Ready", async () => (await stateShown(game)) === "ready");
        expect(game.recorded.named(ALLOCATED)).toHaveLength(2);
      },
    );

    test("without onAllocated the server is playable with its first map load, which links to the allocation from room.create", async () => {
      await using sidecar = await startSidecar();
      await using game = await startGame(sidecar, {}, LoadingArena);
      await game.telemetry.ready;
      sidecar.allocate({ annotations: REQUEST });
      await until("the allocation", async () => (await stateShown(game)) === "allocated");
      const room = await game.client().joinOrCreate("arena");
      await until(ALLOCATED, () => game.recorded.named(ALLOCATED).length === 1);
      const map = game.recorded.one("gameserver.map_load");
      expect(map.parentSpanContext?.spanId).toBe(game.recorded.one("room.create arena").spanContext().spanId);
      expect(map.links.map(({ context }) => context.spanId)).toEqual([
        game.recorded.one(ALLOCATED).spanContext().spanId,
      ]);
      await room.leave();
    });

    test("without onAllocated and without maps the server is playable with its first join", async () => {
      await using sidecar = await startSidecar();
      await using game = await startGame(sidecar);
      await game.telemetry.ready;
      sidecar.allocate();
      await until("the allocation", async () => (await stateShown(game)) === "allocated");
      expect(game.recorded.named(ALLOCATED)).toHaveLength(0);
      const room = await game.client().joinOrCreate("arena");
      await until(ALLOCATED, () => game.recorded.named(ALLOCATED).length === 1);
      await room.leave();
    });

    test.each([
      "opentelemetry.io/trace-context",
      "tracing.k8s.io/traceparent",
      "game.kruise.io/traceparent",
      "my.game/trace",
    ])("the context is found under the annotation %s", async (key) => {
      await using sidecar = await startSidecar();
      const more = key === "my.game/trace" ? { provisioning: { annotations: [key] } } : {};
      await using game = await startGame(sidecar, { onAllocated: () => {} }, Arena, more);
      await game.telemetry.ready;
      sidecar.allocate({
        annotations: { [key]: key.startsWith("opentelemetry.io") ? JSON.stringify(REQUEST) : REQUEST.traceparent },
      });
      await until(ALLOCATED, () => game.recorded.named(ALLOCATED).length === 1);
      expect(game.recorded.one(ALLOCATED).spanContext().traceId).toBe(TRACE);
    });

    test("a sidecar that dies costs the game nothing; it is found again, and what was allocated meanwhile is seen", async () => {
      vi.spyOn(console, "warn").mockImplementation(() => {});
      await using sidecar = await startSidecar();
      await using game = await startGame(sidecar, { healthInterval: 100, onAllocated: () => {} });
      await game.telemetry.ready;
      await sidecar.kill();
      const room = await game.client().joinOrCreate("arena");
      await room.leave();
      sidecar.allocate({ annotations: REQUEST });
      const before = sidecar.pings();
      await sidecar.start();
      await until(ALLOCATED, () => game.recorded.named(ALLOCATED).length === 1, 10_000);
      await until("pings", () => sidecar.pings() > before, 10_000);
      expect(game.recorded.one(ALLOCATED).spanContext().traceId).toBe(TRACE);
    });

    test("Agones is told that the server is done", async () => {
      await using sidecar = await startSidecar();
      await using game = await startGame(sidecar);
      await game.telemetry.ready;
      await game.server.gracefullyShutdown(false);
      await until("Shutdown", async () => (await sidecar.state()) === "Shutdown");
    });
  });
});

test.skipIf(Object.keys(SIDECARS).includes("sdk-server"))(
  "the real sdk-server: NOT RUN, since AGONES_SDK_SERVER names none",
  ({ skip }) => skip(),
);

test("options of agones() that are wrong are named", () => {
  expect(() => agones({ deadline: -1 })).toThrow(
    new TypeError("agones.deadline must be a positive number of milliseconds, got -1"),
  );
  expect(() => agones({ healthInterval: "2s" as unknown as number })).toThrow(
    'agones.healthInterval must be a positive number of milliseconds, got "2s"',
  );
  expect(() => agones({ onAllocated: true as unknown as () => void })).toThrow(
    "agones.onAllocated must be a function, got true",
  );
  expect(() => agones({ dedline: 1 } as AgonesOptions)).toThrow(
    'agones: unknown option "dedline" (1); known are transport, sdk, deadline, healthInterval, onAllocated',
  );
});

async function stateShown({ recorded }: TestServer): Promise<string | undefined> {
  const states = Object.entries(await recorded.points("gameserver.status"));
  return states.find(([, value]) => value === 1)?.[0].replace("state=", "");
}
