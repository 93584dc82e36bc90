import { createAuthContext, matchMaker, Room } from "@colyseus/core";
import { ParentBasedSampler, TraceIdRatioBasedSampler } from "@opentelemetry/sdk-trace";
import { startSession } from "colyseus-otel/backend";
import { expect, test, vi } from "vitest";
import { createBucket } from "../src/propagation/bucket.ts";
import { FORCED_PER_SECOND } from "../src/propagation/gate.ts";
import { startServer, until } from "./_server.ts";
import { recordTelemetry } from "./_telemetry.ts";

const HOSTILE = 10_000;

class Arena extends Room {
  /** Nobody of the flood has a ticket: seats that are held by the thousand make core itself slow. */
  static override async onAuth(token: string) {
    return token === "ticket";
  }
}

/** An SDK that would record nothing by itself: whatever it records was ordered by somebody outside. */
const recordNothing = () => recordTelemetry(new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0) }));

/** A context of its own each time. */
function traceparents(flags: "00" | "01") {
  let count = 0;
  return () => `00-${(count += 1).toString(16).padStart(32, "a")}-b7ad6b7169203331-${flags}`;
}

/** `controller.invokeMethod`, as core's own HTTP route calls it: a network between would be slower than the bucket fills. */
async function ask(options: object, headers: Record<string, string> = {}): Promise<void> {
  const auth = createAuthContext({ headers: new Headers(headers) });
  await expect(matchMaker.controller.invokeMethod("joinOrCreate", "arena", options, auth)).rejects.toThrow("onAuth");
}

/** How many of these in that time may be continued. */
const bucketSince = (start: number) => FORCED_PER_SECOND * (1 + (performance.now() - start) / 1000);

test("a bucket gives what it holds, then what flows in, and holds no more after an hour of quiet", () => {
  let at = 0;
  const take = createBucket(500, () => at);
  const takeAll = () => {
    let taken = 0;
    while (take()) {
      taken += 1;
    }
    return taken;
  };
  expect(takeAll()).toBe(500);
  at += 1;
  expect(takeAll()).toBe(0);
  at += 1;
  expect(takeAll()).toBe(1);
  at += 200;
  expect(takeAll()).toBe(100);
  at += 3_600_000;
  expect(takeAll()).toBe(500);
});

test("10,000 hostile sampled contexts, in options and headers: with a root ratio of 0 no more are recorded than the bucket gives", async () => {
  await using game = await startServer({ arena: Arena }, {}, recordNothing());
  const hostile = traceparents("01");
  const start = performance.now();
  for (let count = 0; count < HOSTILE / 2; count += 1) {
    await ask({ traceparent: hostile() });
    await ask({}, { traceparent: hostile() });
  }
  const most = Math.ceil(bucketSince(start));
  expect(most, "a machine too slow for this test").toBeLessThan(HOSTILE / 2);
  const recorded = game.recorded.named("matchmake arena");
  expect(recorded.length).toBeGreaterThanOrEqual(FORCED_PER_SECOND);
  expect(recorded.length).toBeLessThanOrEqual(most);
  const told = await game.recorded.points("colyseus.trace_context");
  const total = (outcome: string) =>
    ["join_options", "header"].reduce(
      (sum, source) => sum + Number(told[`outcome=${outcome} source=${source}`] ?? 0),
      0,
    );
  expect(total("continued")).toBe(recorded.length);
  expect(total("capped")).toBe(HOSTILE - recorded.length);
});

test("one that is capped is a link, and the root sampler decides; its session token is believed all the same", async () => {
  await using game = await startServer({ arena: Arena });
  const { tracerProvider, meterProvider } = recordTelemetry();
  const login = startSession({ playerId: "ann-7", tracerProvider, meterProvider });
  // While time stands still nothing flows in.
  vi.spyOn(performance, "now").mockReturnValue(performance.now());
  const hostile = traceparents("01");
  for (let count = 0; count < FORCED_PER_SECOND; count += 1) {
    await ask({ traceparent: hostile() });
  }
  await ask(login.carrier);
  vi.restoreAllMocks();
  const own = game.recorded.named("matchmake arena").at(-1)!;
  expect(own.parentSpanContext).toBeUndefined();
  expect(own.links.map(({ context }) => context.traceId)).toEqual([login.traceparent!.split("-")[1]]);
  expect(await game.recorded.points("colyseus.trace_context")).toMatchObject({
    "outcome=continued source=join_options": FORCED_PER_SECOND,
    "outcome=capped source=join_options": 1,
    "outcome=continued source=session_token": 1,
  });
});

test("contexts that want nothing recorded, and those of which only a link is made, are not counted against the bucket", async () => {
  await using game = await startServer({ arena: Arena }, {}, recordNothing());
  const [modest, hostile] = [traceparents("00"), traceparents("01")];
  for (let count = 0; count < 2 * FORCED_PER_SECOND; count += 1) {
    await ask({ traceparent: modest() }, { traceparent: hostile() });
  }
  expect(await game.recorded.points("colyseus.trace_context")).toEqual({
    "outcome=absent source=environment": 1,
    [`outcome=continued source=join_options`]: 2 * FORCED_PER_SECOND,
    [`outcome=continued source=header`]: 2 * FORCED_PER_SECOND,
  });
  expect(game.recorded.named("matchmake arena")).toEqual([]);
});

test("over HTTP, with real players: those whom the bucket lets through are recorded, from the request to the end", async () => {
  await using game = await startServer({ arena: Arena }, {}, recordNothing());
  const client = game.client();
  client.auth.token = "ticket";
  const room = await client.joinOrCreate("arena", { traceparent: traceparents("01")() });
  await room.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  const unsampled = await client.joinOrCreate("arena", { traceparent: traceparents("00")() });
  await unsampled.leave();
  await until(
    "the ends",
    async () => (await game.recorded.points("game.session.ends"))["end_reason=client_quit"] === 2,
  );
  expect(game.recorded.named("session.lifecycle")).toHaveLength(1);
});
