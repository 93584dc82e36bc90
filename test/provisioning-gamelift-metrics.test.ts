import { allocate, type AllocationError, type Provider } from "colyseus-otel/backend";
import { expect, test } from "vitest";
import type { GameLiftApi, GameLiftFault, GameLiftRequest, HostedSession } from "../standins/gamelift-api.ts";
import { startFleet, type GameLiftFleet } from "./_gamelift-api.ts";

const WAYS = [
  "warm",
  "cold",
  "lost answer",
  "crash",
  "none ready",
  "never active",
  "throttled",
  "limit",
  "conflict",
  "refused",
  "hang",
  "aborted",
] as const;
type Way = (typeof WAYS)[number];

const MATCHES = 50;
/** Long enough on a busy machine for what must be had, and for a first answer where none may be had. */
const DEADLINE = 20_000;
const SHORT = 2500;
const HOPELESS: readonly Way[] = ["none ready", "never active", "throttled", "conflict", "hang"];

/** Mulberry32: the same mixture each time. */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

test.each([
  ["a fleet", {}],
  ["a queue", { fleetId: undefined, queue: "eu" }],
])("fifty mixed provisionings by %s are counted as they came out, and as GameLift saw them", async (_by, source) => {
  const chance = random(20261121);
  const ways = Array.from({ length: MATCHES }, (_, index) => WAYS[index] ?? WAYS[Math.floor(chance() * WAYS.length)]!);
  await using fleet = await startFleet({ processes: 500, onCreateGameSession: host }, source);
  const aborts = ways.map(() => new AbortController());
  fleet.api.setFault(createFaults(aborts));
  const outcomes = await Promise.all(
    ways.map((way, index) => play(fleet.provider, way, `${index} ${way}`, aborts[index]!.signal)),
  );

  const points = await fleet.recorded.points("game.provision.outcomes");
  const told = (outcome: string) => points[`game.mode=ctf outcome=${outcome} provider=gamelift region=eu`] ?? 0;
  const { success, cold, warm, unanswered, ...failures } = fleet.api.tally();
  expect(Object.keys(points)).toHaveLength(7);
  expect(told("success")).toBe(success);
  for (const [outcome, count] of Object.entries(failures)) {
    expect([outcome, told(outcome)]).toEqual([outcome, count]);
  }
  expect(Number(told("aborted")) + Number(told("deadline"))).toBe(unanswered);
  const counted = Object.values(points).reduce((sum: number, count) => sum + Number(count), 0);
  expect(counted).toBe(MATCHES);
  const durations = Object.values(await fleet.recorded.points("game.provision.duration")) as { count: number }[];
  expect(durations.reduce((sum, { count }) => sum + count, 0)).toBe(MATCHES);
  expect(cold + warm).toBe(success);
  expect(new Set(outcomes.filter((name) => name.startsWith("arn:"))).size).toBe(success);

  await fleet.provider.close();
  await fleet.nothingOpen();
  expect(running(fleet)).toBe(success);
});

/** The server process: a crash is over at the second try. */
const crashed = new Set<string>();
function host(session: HostedSession): void {
  const match = session.properties["match"]!;
  if (match.endsWith("crash") && !crashed.has(match)) {
    crashed.add(match);
    setImmediate(() => session.end("ERROR"));
  } else if (!match.endsWith("never active")) {
    setTimeout(session.activate, 30);
  }
}

function createFaults(aborts: readonly AbortController[]): (request: GameLiftRequest) => GameLiftFault | undefined {
  const asked = new Map<string, number>();
  return ({ operation, input }) => {
    if (operation !== "CreateGameSession" && operation !== "StartGameSessionPlacement") {
      return undefined;
    }
    const { Value: match = "" } = (input["GameProperties"] as { Key: string; Value: string }[]).find(
      ({ Key }) => Key === "match",
    )!;
    const [index, ...words] = match.split(" ");
    const way = words.join(" ");
    const times = (asked.get(match) ?? 0) + 1;
    asked.set(match, times);
    if (way === "aborted") {
      aborts[Number(index)]!.abort();
    }
    return faultOf(way as Way, times);
  };
}

function faultOf(way: Way, times: number): GameLiftFault | undefined {
  switch (way) {
    case "cold":
      return times < 3 ? { error: "FleetCapacityExceededException" } : undefined;
    case "none ready":
      return { error: "FleetCapacityExceededException" };
    case "lost answer":
      return times === 1 ? "lost" : undefined;
    case "throttled":
      return { error: "ThrottlingException" };
    case "limit":
      return { error: "LimitExceededException" };
    case "conflict":
      return { error: "ConflictException" };
    case "refused":
      return { error: "UnauthorizedException" };
    case "hang":
    case "aborted":
      return "hang";
    default:
      return undefined;
  }
}

async function play(provider: Provider, way: Way, match: string, signal: AbortSignal): Promise<string> {
  const deadline = HOPELESS.includes(way) ? SHORT : DEADLINE;
  const wanted = { provider, region: "eu", mode: "ctf", annotations: { match }, deadline, signal };
  return allocate(wanted).then(
    ({ name }) => name,
    ({ outcome }: AllocationError) => outcome,
  );
}

/** Game sessions that hold a process. */
function running({ api }: GameLiftFleet): number {
  return api.sessions.filter(({ status }: GameLiftApi["sessions"][number]) => ["ACTIVE", "ACTIVATING"].includes(status))
    .length;
}
