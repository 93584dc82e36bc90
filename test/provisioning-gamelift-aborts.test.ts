import { allocate } from "colyseus-otel/backend";
import { afterEach, expect, test, vi } from "vitest";
import type { HostedSession } from "../standins/gamelift-api.ts";
import { startGameLiftFleet, type GameLiftFleet } from "./_gamelift-api.ts";
import { failureOf } from "./_provisioning.ts";
import { until } from "./_server.ts";
import { spanTree } from "./_telemetry.ts";

afterEach(() => vi.restoreAllMocks());

const QUEUE = { fleetId: undefined, queue: "eu" };

test("a signal that was aborted before asks nobody", async () => {
  await using fleet = await startGameLiftFleet();
  const failure = await failureOf(allocate({ provider: fleet.provider, signal: AbortSignal.abort("left") }));
  expect(failure).toMatchObject({ outcome: "aborted", attempts: 0, cause: "left" });
  expect(fleet.api.requests).toEqual([]);
});

const STAGES: [string, (fleet: GameLiftFleet) => Promise<unknown>][] = [
  ["while AWS thinks", ({ api }) => api.waitFor(() => api.requests.length === 1)],
  ["in the pause between calls", ({ recorded }) => until("two answers", () => recorded.spans().length === 2)],
  ["while the AWS client's package is being loaded", async () => {}],
  ["while the game session is activated", ({ api }) => api.waitFor(() => api.count("DescribeGameSessions") === 2)],
];

test.each(STAGES)(
  "a signal that is aborted %s ends the wait at once, and nothing is left behind",
  async (stage, reached) => {
    const processes = stage.includes("pause") ? 0 : 1;
    await using fleet = await startGameLiftFleet({ processes, onCreateGameSession() {} });
    const { api, recorded, provider } = fleet;
    api.setFault(stage.includes("thinks") ? "hang" : undefined);
    const abort = new AbortController();
    const failed = failureOf(allocate({ provider, signal: abort.signal }));
    await reached(fleet);
    const aborted = performance.now();
    abort.abort();
    const failure = await failed;
    expect(performance.now() - aborted).toBeLessThan(2000);
    expect(failure).toMatchObject({ outcome: "aborted", cause: { name: "AbortError" } });
    expect(recorded.one("provision.allocate_server").status.code).toBe(0);
    await provider.close();
    await fleet.nothingOpen();
    expect(api.freeProcesses).toBe(processes);
    expect(api.sessions.filter(({ status }) => status === "ACTIVATING")).toEqual([]);
  },
);

test.each(["hang", "lost", undefined] as const)("a placement is stopped at the signal: fault %s", async (fault) => {
  await using fleet = await startGameLiftFleet({ processes: 0 }, QUEUE);
  const { api, provider, recorded } = fleet;
  api.setFault(({ operation }) => (operation === "StartGameSessionPlacement" ? fault : undefined));
  const abort = new AbortController();
  const failed = failureOf(allocate({ provider, signal: abort.signal }));
  await api.waitFor(() => api.count("StartGameSessionPlacement") === 1);
  abort.abort();
  expect((await failed).outcome).toBe("aborted");
  await provider.close();
  expect(api.placements.map(({ status }) => status)).toEqual(fault === "hang" ? [] : ["CANCELLED"]);
  expect(api.count("StopGameSessionPlacement")).toBe(1);
  const created = recorded.one("provision.gamelift_create_session");
  expect(created.attributes["gamelift.placement_id"]).toBe(api.requests.at(-1)!.input["PlacementId"]);
});

test.each([
  ["ACTIVATING", undefined],
  ["ACTIVATING", "lost"],
  ["ACTIVE", undefined],
  ["ACTIVE", "lost"],
] as const)("of a placement the game session is ended that is %s at the signal: fault %s", async (status, fault) => {
  let hosted: HostedSession | undefined;
  const unseen = { ...QUEUE, poll: { first: 60_000, longest: 60_000 } };
  await using fleet = await startGameLiftFleet({ onCreateGameSession: (session) => (hosted = session) }, unseen);
  const { api, provider } = fleet;
  api.setFault(({ operation }) => (operation === "StartGameSessionPlacement" ? fault : undefined));
  const abort = new AbortController();
  const failed = failureOf(allocate({ provider, signal: abort.signal }));
  await api.waitFor(() => hosted !== undefined);
  if (status === "ACTIVE") {
    hosted!.activate();
  }
  abort.abort();
  expect((await failed).outcome).toBe("aborted");
  await provider.close();
  expect(api.sessions.map((session) => session.status)).toEqual(["TERMINATED"]);
  expect(api.freeProcesses).toBe(1);
});

test("what became the answer is not stopped", async () => {
  await using fleet = await startGameLiftFleet({ processes: 2 });
  const { api } = fleet;
  await allocate({ provider: fleet.provider });
  await using queue = fleet.connect(QUEUE);
  await allocate({ provider: queue });
  await fleet.provider.close();
  await queue.close();
  expect(api.sessions.map(({ status }) => status)).toEqual(["ACTIVE", "ACTIVE"]);
  expect(api.count("TerminateGameSession") + api.count("StopGameSessionPlacement")).toBe(0);
});

test("closing the provider ends what is under way as aborted, and waits until it is stopped", async () => {
  await using fleet = await startGameLiftFleet({ onCreateGameSession() {} });
  const { api, provider } = fleet;
  const failed = failureOf(allocate({ provider }));
  await api.waitFor(() => api.count("DescribeGameSessions") === 1);
  await provider.close();
  expect(api.sessions[0]!.status).toBe("TERMINATED");
  expect(await failed).toMatchObject({ outcome: "aborted", cause: { message: "the provider gamelift was closed" } });
  const { events } = fleet.recorded.one("provision.gamelift_wait_active");
  expect(new Set(events.map((event) => event.attributes?.["status"]))).not.toContain("aborted");
  expect(spanTree(fleet.recorded.spans())).toMatchInlineSnapshot(`
    "provision.allocate_server  error.type=aborted
      provision.gamelift_create_session
      provision.gamelift_wait_active  error.type=aborted"
  `);
  await provider.close();
});

test("an allocation lets go of its signal", async () => {
  await using fleet = await startGameLiftFleet();
  const { signal } = new AbortController();
  const [added, removed] = [vi.spyOn(signal, "addEventListener"), vi.spyOn(signal, "removeEventListener")];
  await allocate({ provider: fleet.provider, signal });
  expect(added.mock.calls.length).toBe(1);
  expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(added.mock.calls.map(([, listener]) => listener));
});
