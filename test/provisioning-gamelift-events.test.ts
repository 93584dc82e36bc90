import assert from "node:assert/strict";
import { allocate } from "colyseus-otel/backend";
import { afterEach, expect, test, vi } from "vitest";
import { createNews } from "../src/backend/gamelift/news.ts";
import { QUICK, startGameLiftFleet } from "./_gamelift-api.ts";

afterEach(() => vi.restoreAllMocks());

const QUEUE = { fleetId: undefined, queue: "eu" };

/** What the user makes of SNS or EventBridge. */
function eventSource() {
  const { readable, writable } = new TransformStream<string>(undefined, { highWaterMark: 5000 });
  const writer = writable.getWriter();
  return { events: readable as AsyncIterable<string>, writer };
}

test("with events a placement is looked up once for each, and not polled", async () => {
  const { events, writer } = eventSource();
  await using fleet = await startGameLiftFleet({ onCreateGameSession() {} }, { ...QUEUE, events });
  const { api, provider } = fleet;
  const allocation = allocate({ provider });
  await api.waitFor(() => api.placements.length === 1);
  const { id } = api.placements[0]!;
  // Nothing to wait for: polls of the tests' pace would be there by now.
  await new Promise((resolve) => setTimeout(resolve, 200));
  await writer.write("another");
  await writer.write(id);
  await api.waitFor(() => api.count("DescribeGameSessionPlacement") === 1);
  api.sessions[0]!.activate();
  await writer.write(id);
  await allocation;
  expect(api.count("DescribeGameSessionPlacement")).toBe(2);
});

test("an event that is faster than the answer is not lost", async () => {
  const { events, writer } = eventSource();
  await using fleet = await startGameLiftFleet();
  const client = fleet.client();
  const send = async (command: never, options: object) => {
    const answer = (await client.send(command, options)) as { GameSession?: { GameSessionId: string } };
    if (answer.GameSession) {
      await writer.write(answer.GameSession.GameSessionId);
    }
    return answer;
  };
  const began = performance.now();
  await allocate({ provider: fleet.connect({ client: { send }, events }) });
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(fleet.api.count("DescribeGameSessions")).toBe(1);
});

test("of events that nobody waits for the last thousand are kept", async () => {
  async function* many(): AsyncGenerator<string> {
    yield* Array.from({ length: 1500 }, (_, index) => `id-${index}`);
    await new Promise(() => {});
  }
  const news = createNews(many());
  const { signal } = new AbortController();
  await news.wait("id-1499", 60_000, signal);
  await news.wait("id-500", 60_000, signal);
  const woken = vi.fn<() => void>();
  void news.wait("id-498", 60_000, signal).then(woken);
  await new Promise(setImmediate);
  expect(woken).not.toHaveBeenCalled();
});

// Before the one that warns: a warning is not repeated for a minute.
test("closing the provider lets go of the events, without a word", async () => {
  const warned = vi.spyOn(console, "warn").mockReturnValue();
  const { promise, resolve } = Promise.withResolvers<IteratorResult<string>>();
  const iterator: AsyncIterator<string> = {
    next: () => promise,
    async return() {
      resolve({ done: true, value: undefined });
      return promise;
    },
  };
  await using fleet = await startGameLiftFleet({}, { events: { [Symbol.asyncIterator]: () => iterator } });
  await fleet.provider.close();
  await promise;
  await new Promise(setImmediate);
  expect(warned).not.toHaveBeenCalled();
});

test.each([
  ["throws", () => assert.fail("no end")],
  ["promises nothing", () => ({ done: true, value: undefined })],
])("the provider closes although the end of its events %s", async (_how, end) => {
  const events = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: end }) };
  await using fleet = await startGameLiftFleet({}, { events: events as unknown as AsyncIterable<string> });
  await fleet.provider.close();
});

test("events that end or fail leave a warning and polls", async () => {
  const warned = vi.spyOn(console, "warn").mockReturnValue();
  async function* failing(): AsyncGenerator<string> {
    yield "another";
    throw new Error("queue gone");
  }
  await using fleet = await startGameLiftFleet({ onCreateGameSession() {} }, { ...QUEUE, events: failing() });
  const { api, provider } = fleet;
  const allocation = allocate({ provider });
  await api.waitFor(() => api.count("DescribeGameSessionPlacement") > 2);
  api.sessions[0]!.activate();
  await allocation;
  expect(warned.mock.calls.flat()).toEqual([
    "colyseus-otel: gamelift.events failed: Error: queue gone; game sessions are polled from now on",
  ]);
});

test("what is active at the last moment is seen although the next poll would come too late", async () => {
  await using fleet = await startGameLiftFleet(
    { onCreateGameSession() {} },
    { poll: { first: 60_000, longest: 60_000 } },
  );
  const { api, provider } = fleet;
  const allocation = allocate({ provider, deadline: 3000 });
  await api.waitFor(() => api.sessions.length === 1);
  api.sessions[0]!.activate();
  expect((await allocation).name).toBe(api.sessions[0]!.id);
  expect(api.count("DescribeGameSessions")).toBe(1);
});

test("polls grow rarer", async () => {
  await using fleet = await startGameLiftFleet({ onCreateGameSession() {} }, { poll: { first: 20, longest: 400 } });
  const { api, provider, recorded } = fleet;
  const allocation = allocate({ provider });
  await api.waitFor(() => api.count("DescribeGameSessions") === 10);
  api.sessions[0]!.activate();
  await allocation;
  const { events } = recorded.one("provision.gamelift_wait_active");
  const at = events.map(({ time: [s, ns] }) => s * 1000 + ns / 1e6);
  // Half of a pause is chance: of ten, the last is at least eleven times as long as the first can be.
  expect(at[9]! - at[8]!).toBeGreaterThan(QUICK.first * 10);
});

test("after a throttled look the next is as late as they get", async () => {
  await using fleet = await startGameLiftFleet({}, { poll: { first: 20, longest: 2000 } });
  const { api, provider, recorded } = fleet;
  api.setFault(() => (api.count("DescribeGameSessions") === 1 ? { error: "ThrottlingException" } : undefined));
  await allocate({ provider });
  const { events } = recorded.one("provision.gamelift_wait_active");
  expect(events.map((event) => event.attributes?.["status"])).toEqual(["quota", "ACTIVE"]);
  const [throttled, next] = events.map(({ time: [s, ns] }) => s * 1000 + ns / 1e6);
  expect(next! - throttled!).toBeGreaterThan(990);
});
