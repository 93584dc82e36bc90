import { allocate } from "colyseus-otel/backend";
import { afterEach, expect, test, vi } from "vitest";
import type { GameLiftFault, GameLiftRequest } from "../standins/gamelift-api.ts";
import { startGameLiftFleet } from "./_gamelift-api.ts";
import { failureOf } from "./_provisioning.ts";
import { spanTree } from "./_telemetry.ts";

afterEach(() => vi.restoreAllMocks());

const QUEUE = { fleetId: undefined, queue: "eu" };

test.each<[string, GameLiftFault, string]>([
  ["a request that AWS calls invalid", { error: "InvalidRequestException" }, "refused"],
  ["a fleet that there is not", { error: "NotFoundException" }, "refused"],
  ["a user without permission", { error: "AccessDeniedException", status: 403 }, "refused"],
  ["credentials that have expired", { error: "UnauthorizedException" }, "refused"],
  ["a fleet that is not active", { error: "InvalidFleetStatusException" }, "refused"],
  ["other words for a known token", { error: "IdempotentParameterMismatchException" }, "refused"],
])("%s is allocation_failed at once", async (_what, fault, type) => {
  await using fleet = await startGameLiftFleet();
  fleet.api.setFault(fault);
  const failure = await failureOf(allocate({ provider: fleet.provider }));
  expect(failure).toMatchObject({ outcome: "allocation_failed", attempts: 1 });
  expect(failure.message).toContain((fault as { error: string }).error);
  expect(spanTree(fleet.recorded.spans())).toBe(
    `provision.allocate_server  ERROR  error.type=allocation_failed\n  provision.gamelift_create_session  ERROR  error.type=${type}`,
  );
});

test("what may be over soon is asked again until the deadline, and then has its outcome", async () => {
  const ways: [error: string, outcome: string, status: number, type: string][] = [
    ["FleetCapacityExceededException", "ready_timeout", 400, "unallocated"],
    ["ThrottlingException", "quota", 400, "quota"],
    ["SomethingElse", "quota", 429, "quota"],
    ["ConflictException", "contention", 400, "contention"],
    ["InternalServiceException", "allocation_failed", 500, "unavailable"],
  ];
  const play = async ([error, outcome, status, type]: (typeof ways)[number]) => {
    await using fleet = await startGameLiftFleet();
    fleet.api.setFault({ error, status });
    const failure = await failureOf(allocate({ provider: fleet.provider, deadline: 4500 }));
    expect([error, failure.outcome]).toEqual([error, outcome]);
    expect(failure.attempts).toBeGreaterThan(1);
    const calls = fleet.recorded.named("provision.gamelift_create_session");
    expect(calls).toHaveLength(failure.attempts);
    // The last may be cut off by the deadline.
    const types = calls.slice(0, -1).map((call) => call.attributes["error.type"]);
    expect(new Set(types)).toEqual(new Set([type]));
    // An operator need not see each of the others.
    expect(calls[0]!.status.code).toBe(type === "unavailable" ? 2 : 0);
    return failure.attempts;
  };
  const [noProcess, throttled] = await Promise.all(ways.map(play));
  // A second at least between these; the loop alone would make six calls or more.
  expect(noProcess).toBeLessThanOrEqual(5);
  expect(throttled).toBeLessThanOrEqual(5);
});

test("a limit that somebody has set is quota at once", async () => {
  await using fleet = await startGameLiftFleet();
  fleet.api.setFault({ error: "LimitExceededException" });
  expect(await failureOf(allocate({ provider: fleet.provider }))).toMatchObject({ outcome: "quota", attempts: 1 });
});

test("a server process that comes while the fleet has none is had, in its own trace", async () => {
  await using fleet = await startGameLiftFleet({ processes: 0 });
  const { api, recorded, provider } = fleet;
  const allocation = allocate({ provider });
  await api.waitFor(() => api.count("CreateGameSession") === 2);
  api.addProcesses(1);
  const server = await allocation;
  expect(server.attempts).toBeGreaterThan(2);
  expect(server.start).toBe("cold");
  const last = recorded.named("provision.gamelift_create_session").at(-1)!;
  expect(server.annotations["traceparent"]).toContain(last.spanContext().spanId);
});

test("an answer that was lost costs no second game session: the same words are sent again with the same token", async () => {
  await using fleet = await startGameLiftFleet({ processes: 2 });
  const { api, recorded, provider } = fleet;
  api.setFault(once("CreateGameSession", "lost"));
  const server = await allocate({ provider, players: 2 });
  expect(server.attempts).toBe(2);
  expect(api.sessions.map(({ id }) => id)).toEqual([server.name]);
  const [one, two] = api.requests.filter(({ operation }) => operation === "CreateGameSession");
  expect(two).toEqual(one);
  const [first] = recorded.named("provision.gamelift_create_session");
  expect(first!.attributes["error.type"]).toBe("unavailable");
  expect(server.annotations["traceparent"]).toContain(first!.spanContext().spanId);
});

test.each([
  ["by us", 1],
  ["by the AWS client itself", 2],
])("nor does one whose repetition %s is throttled", async (_who, maxAttempts) => {
  await using fleet = await startGameLiftFleet({ processes: 2 });
  const { api } = fleet;
  const faults = ["lost", { error: "ThrottlingException" }] as const;
  api.setFault(() => faults[api.count("CreateGameSession") - 1]);
  const client = fleet.client({ maxAttempts });
  const server = await allocate({ provider: fleet.connect({ client }) });
  expect(api.sessions.map(({ id }) => id)).toEqual([server.name]);
});

test("a call that never reached AWS is repeated, and so is one that the client gave up", async () => {
  await using fleet = await startGameLiftFleet();
  const { api } = fleet;
  const faults = ["cut", "hang", "down"] as const;
  api.setFault(() => faults[api.count("CreateGameSession") - 1]);
  const client = fleet.client({ requestHandler: { requestTimeout: 200, throwOnRequestTimeout: true } });
  const server = await allocate({ provider: fleet.connect({ client }) });
  expect(server.attempts).toBe(4);
  expect(api.sessions).toHaveLength(1);
});

test("a conflict may be with the same call, still under way: it is repeated with its token", async () => {
  await using fleet = await startGameLiftFleet();
  const { api, provider } = fleet;
  api.setFault(once("CreateGameSession", { error: "ConflictException" }));
  await allocate({ provider });
  const [one, two] = api.requests.filter(({ operation }) => operation === "CreateGameSession");
  expect(two).toEqual(one);
});

test("each allocation has a token of its own, and a new one after an answer that refused", async () => {
  await using fleet = await startGameLiftFleet({ processes: 2 });
  const { api, provider } = fleet;
  api.setFault(once("CreateGameSession", { error: "FleetCapacityExceededException" }));
  await allocate({ provider });
  await allocate({ provider });
  const asked = api.requests.filter(({ operation }) => operation === "CreateGameSession");
  const tokens = asked.map(({ input }) => String(input["IdempotencyToken"]));
  expect(new Set(tokens).size).toBe(3);
  tokens.forEach((token) => expect(token).toMatch(/^[a-zA-Z0-9-]{1,48}$/));
});

test.each([
  ["by us", 1],
  ["by the AWS client itself", 3],
])("a placement whose answer was lost is found by its id when it is asked for again %s", async (_who, maxAttempts) => {
  await using fleet = await startGameLiftFleet({ processes: 2 }, QUEUE);
  const { api } = fleet;
  api.setFault(once("StartGameSessionPlacement", "lost"));
  const client = fleet.client({ maxAttempts });
  const server = await allocate({ provider: fleet.connect({ client }) });
  expect(api.placements).toHaveLength(1);
  expect(api.sessions.map(({ id }) => id)).toEqual([server.name]);
});

test("a placement that never reached AWS is asked for again", async () => {
  await using fleet = await startGameLiftFleet({}, QUEUE);
  const { api, provider } = fleet;
  api.setFault(once("StartGameSessionPlacement", "cut"));
  expect((await allocate({ provider })).attempts).toBe(2);
  const ids = api.requests.map(({ input }) => input["PlacementId"]);
  expect(new Set(ids).size).toBe(1);
  expect(api.placements).toHaveLength(1);
});

test.each([1, 3])(
  "a placement that cannot be looked up after a lost answer is not begun twice: %d attempts",
  async (maxAttempts) => {
    await using fleet = await startGameLiftFleet({ processes: 2 }, QUEUE);
    const { api } = fleet;
    const lost = once("StartGameSessionPlacement", "lost");
    const throttled = once("DescribeGameSessionPlacement", { error: "ThrottlingException" });
    api.setFault((request) => lost(request) ?? throttled(request));
    const client = fleet.client({ maxAttempts, retryMode: "standard" });
    const server = await allocate({ provider: fleet.connect({ client }) });
    expect(api.sessions.map(({ id }) => id)).toEqual([server.name]);
  },
);

test("a placement that AWS has begun, and does not show yet, is not begun twice", async () => {
  await using fleet = await startGameLiftFleet({ processes: 2 }, QUEUE);
  const { api, provider } = fleet;
  const lost = once("StartGameSessionPlacement", "lost");
  const hidden = once("DescribeGameSessionPlacement", { error: "NotFoundException" });
  api.setFault((request) => lost(request) ?? hidden(request));
  const server = await allocate({ provider });
  expect(api.sessions.map(({ id }) => id)).toEqual([server.name]);
});

test("a look that is never answered is ready_timeout: the start was answered", async () => {
  await using fleet = await startGameLiftFleet();
  fleet.api.setFault(({ operation }) => (operation === "DescribeGameSessions" ? "hang" : undefined));
  expect((await failureOf(allocate({ provider: fleet.provider, deadline: 2000 }))).outcome).toBe("ready_timeout");
});

test("a placement that times out is asked for again under another id, and one that somebody stops is not", async () => {
  await using fleet = await startGameLiftFleet({ processes: 0 }, QUEUE);
  const { api, provider } = fleet;
  const allocation = failureOf(allocate({ provider }));
  await api.waitFor(() => api.placements.length === 1);
  api.placements[0]!.timeOut();
  await api.waitFor(() => api.placements.length === 2);
  api.placements[1]!.cancel();
  const failure = await allocation;
  expect(failure).toMatchObject({ outcome: "allocation_failed", attempts: 2 });
  expect(failure.message).toContain("is CANCELLED");
  expect(spanTree(fleet.recorded.spans())).toMatchInlineSnapshot(`
    "provision.allocate_server  ERROR  error.type=allocation_failed
      provision.gamelift_create_session
      provision.gamelift_wait_active  error.type=unallocated
      provision.wait_for_ready  error.type=allocation_failed
      provision.gamelift_create_session
      provision.gamelift_wait_active  ERROR  error.type=allocation_failed"
  `);
});

test.each(["TERMINATED", "ERROR"] as const)(
  "a game session that ends as %s before it was active is asked for again",
  async (status) => {
    let hosted = 0;
    await using fleet = await startGameLiftFleet({
      processes: 2,
      onCreateGameSession: (session) => void setImmediate(() => (hosted++ ? session.activate() : session.end(status))),
    });
    const server = await allocate({ provider: fleet.provider });
    expect(server.attempts).toBe(2);
    expect(fleet.api.sessions.map((session) => session.status)).toEqual([status, "ACTIVE"]);
    expect(server.name).toBe(fleet.api.sessions[1]!.id);
    expect(spanTree(fleet.recorded.spans())).toMatchInlineSnapshot(`
      "provision.allocate_server
        provision.gamelift_create_session
        provision.gamelift_wait_active  ERROR  error.type=allocation_failed
        provision.gamelift_create_session
        provision.gamelift_wait_active"
    `);
  },
);

test("a game session that is not active at the deadline is ready_timeout, and its process is given back", async () => {
  await using fleet = await startGameLiftFleet({ onCreateGameSession() {} });
  const { api, provider } = fleet;
  const failure = await failureOf(allocate({ provider, deadline: 1500 }));
  expect(failure).toMatchObject({ outcome: "ready_timeout", attempts: 1 });
  expect(failure.message).toMatch(/gamesession\/fleet-1\/\S+ was still ACTIVATING at the deadline/);
  await api.waitFor(() => api.sessions[0]!.status === "TERMINATED");
  expect(api.freeProcesses).toBe(1);
});

test("looks that AWS throttles or does not answer do not end the wait; one that it forbids does", async () => {
  await using fleet = await startGameLiftFleet({ processes: 2, onCreateGameSession() {} });
  const { api, recorded, provider } = fleet;
  const faults: (GameLiftFault | undefined)[] = [
    { error: "ThrottlingException" },
    "down",
    "cut",
    { error: "NotFoundException" },
  ];
  api.setFault(({ operation }) => (operation === "DescribeGameSessions" ? faults.shift() : undefined));
  const allocation = allocate({ provider });
  await api.waitFor(() => faults.length === 0);
  api.sessions[0]!.activate();
  await allocation;
  const { events } = recorded.one("provision.gamelift_wait_active");
  const statuses = events.map((event) => event.attributes?.["status"]);
  expect(statuses.slice(0, 4)).toEqual(["quota", "unavailable", "unavailable", "ACTIVATING"]);
  expect(statuses.at(-1)).toBe("ACTIVE");

  api.setFault(({ operation }) =>
    operation === "DescribeGameSessions" ? { error: "AccessDeniedException" } : undefined,
  );
  expect((await failureOf(allocate({ provider }))).outcome).toBe("allocation_failed");
  await api.waitFor(() => api.sessions[1]!.status === "TERMINATED");
});

test("nobody there is allocation_failed, and an answer that never comes is deadline", async () => {
  await using fleet = await startGameLiftFleet();
  const nobody = fleet.connect({ client: fleet.client({ endpoint: "http://127.0.0.1:1" }) });
  expect((await failureOf(allocate({ provider: nobody, deadline: 1000 }))).outcome).toBe("allocation_failed");
  fleet.api.setFault("hang");
  const failure = await failureOf(allocate({ provider: fleet.provider, deadline: 500 }));
  expect(failure).toMatchObject({ outcome: "deadline", attempts: 1 });
  expect(failure.message).toContain("no answer to CreateGameSession inside the deadline");
});

/** The first request of the operation. */
function once(operation: string, fault: GameLiftFault): (request: GameLiftRequest) => GameLiftFault | undefined {
  let done = false;
  return (request) => {
    const now = !done && request.operation === operation;
    done ||= now;
    return now ? fault : undefined;
  };
}
