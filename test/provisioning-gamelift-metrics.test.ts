import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { allocate, type AllocationError, type Provider } from "colyseus-otel/backend";
import { expect, test } from "vitest";
import type { GameLiftApi, GameLiftFault, GameLiftRequest, HostedSession } from "../standins/gamelift-api.ts";
import { startGameLiftFleet, type GameLiftFleet } from "./_gamelift-api.ts";

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
const SHORT = 6000;
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
  const reader = new PrometheusExporter({ preventServerStart: true });
  const meterProvider = new MeterProvider({ readers: [reader] });
  await using fleet = await startGameLiftFleet(
    { processes: 500, onCreateGameSession: createHost() },
    { ...source, meterProvider },
  );
  const aborts = ways.map(() => new AbortController());
  fleet.api.setFault(createFaults(aborts));
  const results = await Promise.all(
    ways.map((way, index) => play(fleet.provider, way, `${index} ${way}`, aborts[index]!.signal)),
  );

  const text = await exposition(reader);
  const { success, cold, warm, unanswered, ...failures } = fleet.api.tally();
  for (const metric of ["game_provision_outcomes_total", "game_provision_duration_count"]) {
    const { aborted, deadline, ...told } = counted(text, metric);
    expect(told).toEqual({ "success cold": cold, "success warm": warm, ...failures });
    expect(aborted! + deadline!).toBe(unanswered);
  }
  expect(cold + warm).toBe(success);
  expect(new Set(results.filter((name) => name.startsWith("arn:"))).size).toBe(success);

  await fleet.provider.close();
  await fleet.nothingOpen();
  expect(running(fleet)).toBe(success);
});

async function exposition(reader: PrometheusExporter): Promise<string> {
  return new PrometheusSerializer(undefined, false, undefined, true, true).serialize(
    (await reader.collect()).resourceMetrics,
  );
}

/** By outcome and start, in the text of `/metrics`. */
function counted(text: string, metric: string): Record<string, number> {
  const lines = text.split("\n").filter((line) => line.startsWith(`${metric}{`));
  return Object.fromEntries(
    lines.map((line) => {
      const label = (name: string) => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1];
      expect([label("region"), label("game_mode"), label("provider")]).toEqual(["eu", "ctf", "gamelift"]);
      return [[label("outcome"), label("gameserver_start")].filter(Boolean).join(" "), Number(line.split("} ")[1])];
    }),
  );
}

/** The server process: after a crash the second try is well. */
function createHost(): (session: HostedSession) => void {
  const crashed = new Set<string>();
  return (session) => {
    const match = session.properties["match"]!;
    if (match.endsWith("crash") && !crashed.has(match)) {
      crashed.add(match);
      setImmediate(() => session.end("ERROR"));
    } else if (!match.endsWith("never active")) {
      setTimeout(session.activate, 30);
    }
  };
}

function createFaults(aborts: readonly AbortController[]): (request: GameLiftRequest) => GameLiftFault | undefined {
  const asked = new Map<string, number>();
  return ({ operation, input }) => {
    if (operation !== "CreateGameSession" && operation !== "StartGameSessionPlacement") {
      return undefined;
    }
    const { Value: match } = (input["GameProperties"] as { Key: string; Value: string }[]).find(
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
