import { Room, Server } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { instrument } from "colyseus-otel";
import { agones, type AgonesOptions } from "colyseus-otel/agones";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { startSidecarProcess } from "../standins/sidecar-process.ts";
import { startServer, until, type TestServer } from "./_server.ts";
import { over } from "./_sidecars.ts";
import { durationOf, recordTelemetry } from "./_telemetry.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const ALLOCATED = "gameserver.allocated";

class Arena extends Room {}

/** Each match: allocated, played by two players, and over. The first found a server that was Ready, but for `asked`. */
async function playMatches(asked: number | undefined, options: AgonesOptions = {}) {
  const stack = new AsyncDisposableStack();
  const stand = stack.use(await startSidecar({ readyDelay: 10 }));
  const orchestrator = agones({ ...over("grpc", stand), ...options });
  const game = stack.use(await startServer({ arena: Arena }, { orchestrator }));
  await game.telemetry.ready;
  const handedBack: Record<string, string>[] = [];
  for (const turn of [1, 2, 3]) {
    await until("the server's own view of Ready", async () => (await stateOf(game)) === "ready");
    stand.allocate({
      annotations: {
        traceparent: `00-${TRACE}-${String(turn).padStart(16, "a")}-01`,
        ...(asked !== undefined && { "colyseus-otel/requested-at": String(asked) }),
      },
    });
    await until("allocated", async () => (await stateOf(game)) === "allocated");
    const players = [await game.client().joinOrCreate("arena"), await game.client().joinOrCreate("arena")];
    await until(ALLOCATED, () => game.recorded.named(ALLOCATED).length === turn);
    await Promise.all(players.map((player) => player.leave()));
    await stand.waitFor(
      ({ annotations }) => annotations["agones.dev/sdk-allocations"] === String(turn),
      5000,
      "the count at the sidecar",
    );
    handedBack.push(stand.gameServer().annotations);
    stand.setState("Ready");
  }
  await until("Ready after the last match", async () => (await stateOf(game)) === "ready");
  return { game, handedBack, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test.each([
  ["warm", "whoever asked came when it was Ready", 999_999_999_999_999],
  ["warm", "nobody says since when they wait", undefined],
  ["cold", "whoever asked was there before", 1],
] as const)(
  "a first match is %s where %s, later ones are reused; each is measured once",
  async (start, _why, asked) => {
    await using played = await playMatches(asked);
    const { recorded } = played.game;
    for (const metric of [
      "gameserver.ready_to_allocated.duration",
      "gameserver.allocated_to_playable.duration",
      "gameserver.allocated_to_first_join.duration",
    ]) {
      expect([metric, await recorded.points(metric)]).toMatchObject([
        metric,
        { [`gameserver.start=${start}`]: { count: 1 }, "gameserver.start=reused": { count: 2 } },
      ]);
    }
    const matches = recorded.named(ALLOCATED);
    expect(matches.map(({ attributes }) => attributes["gameserver.start"])).toEqual([start, "reused", "reused"]);
    // The first join is what makes it playable here.
    for (const metric of ["gameserver.allocated_to_playable.duration", "gameserver.allocated_to_first_join.duration"]) {
      const { [`gameserver.start=${start}`]: first } = (await recorded.points(metric)) as Record<
        string,
        { sum: number }
      >;
      expect(first!.sum).toBeCloseTo(durationOf(matches[0]!) / 1000, 1);
      expect(first!.sum).toBeGreaterThan(0);
    }
  },
);

test("the context of each match is handed back to the sidecar, with how many there were", async () => {
  await using played = await playMatches(undefined);
  const contexts = played.game.recorded.named(ALLOCATED).map((span) => span.spanContext());
  expect(played.handedBack).toMatchObject(
    contexts.map(({ traceId, spanId }, index) => ({
      "agones.dev/sdk-traceparent": `00-${traceId}-${spanId}-01`,
      "agones.dev/sdk-allocations": String(index + 1),
    })),
  );
});

test("a server that prepares itself is playable when it is done, and its first join is measured all the same", async () => {
  let done = 0;
  await using played = await playMatches(undefined, { onAllocated: async () => void (done += 1) });
  expect(done).toBe(3);
  for (const metric of ["gameserver.allocated_to_playable.duration", "gameserver.allocated_to_first_join.duration"]) {
    expect(await played.game.recorded.points(metric)).toMatchObject({ "gameserver.start=reused": { count: 2 } });
  }
});

test("who joins when the match is over is none of its players", async () => {
  await using stand = await startSidecar({ readyDelay: 10 });
  await using game = await startServer({ arena: Arena }, { orchestrator: agones(over("grpc", stand)) });
  await game.telemetry.ready;
  stand.allocate();
  await until("allocated", async () => (await stateOf(game)) === "allocated");
  stand.setState("Ready");
  await until("the end of the allocation", () => game.recorded.named(ALLOCATED).length === 1);
  await until("Ready", async () => (await stateOf(game)) === "ready");
  await (await game.client().joinOrCreate("arena")).leave();
  expect(await game.recorded.points("gameserver.allocated_to_first_join.duration")).toEqual({});
});

test("a process that begins in an allocated server is there for nobody before it listens", async () => {
  await using stand = await startSidecar({ state: "Allocated", readyDelay: 10 });
  const recorded = recordTelemetry();
  const server = new Server({ greet: false, gracefullyShutdown: false, transport: new WebSocketTransport({}) });
  const orchestrator = agones(over("grpc", stand));
  const { tracerProvider, meterProvider } = recorded;
  await using telemetry = instrument(server, { orchestrator, endpoints: false, tracerProvider, meterProvider });
  await stand.waitFor(({ annotations }) => annotations["agones.dev/sdk-allocations"] === "1");
  expect(await stateOf({ recorded })).toBe("starting");
  await server.listen(0, "127.0.0.1");
  await telemetry.ready;
  expect(await stateOf({ recorded })).toBe("ready");
  await server.gracefullyShutdown(false);
});

test("an event loop that is blocked for over half of the budget is warned of, and not for less", async () => {
  // A budget of 8 s: a machine that takes a second or two for itself changes neither.
  await using stand = await startSidecarProcess({ readyDelay: 10, health: { periodSeconds: 2, failureThreshold: 4 } });
  const [short, long] = await Promise.all([blockedFor(stand, 1000), blockedFor(stand, 6000)]);
  expect(short).not.toContain("the event loop was blocked");
  expect(long).toMatch(
    /the event loop was blocked for \d+\.\d s, and no health ping could leave: Agones calls this server Unhealthy after 8\.0 s without one \(the Fleet's health\.periodSeconds 2 x failureThreshold 4\)\./,
  );
  expect(long.match(/the event loop was blocked/g)).toHaveLength(1);
}, 60_000);

/** What a server says that blocks its event loop for so many milliseconds. Around it pings come and go, of which it hears nothing. */
async function blockedFor({ port }: { readonly port: number }, milliseconds: number): Promise<string> {
  const code = `
    import { Server } from "@colyseus/core";
    import { WebSocketTransport } from "@colyseus/ws-transport";
    import { instrument } from "colyseus-otel";
    import { agones } from "colyseus-otel/agones";
    const server = new Server({ greet: false, transport: new WebSocketTransport({}) });
    const telemetry = instrument(server, { orchestrator: agones(), endpoints: false });
    await server.listen(0, "127.0.0.1");
    await telemetry.ready;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const until = performance.now() + ${milliseconds};
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 500));
    process.exit(0);
  `;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code], {
    env: { ...process.env, AGONES_SDK_GRPC_PORT: String(port) },
    timeout: 50_000,
  });
  return stdout + stderr;
}

async function stateOf({ recorded }: Pick<TestServer, "recorded">): Promise<string | undefined> {
  const states = Object.entries(await recorded.points("gameserver.status"));
  return states.find(([, value]) => value === 1)?.[0].replace("state=", "");
}
