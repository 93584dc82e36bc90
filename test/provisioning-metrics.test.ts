import { allocate, type AllocatedServer, type AllocationError } from "colyseus-otel/backend";
import { expect, test } from "vitest";
import { createAuthority } from "./_certificates.ts";
import { startCluster, type Cluster } from "./_provisioning.ts";

const EACH = 10;
const WAYS = ["success", "none ready", "refused TLS", "deadline", "aborted"] as const;

/** Long enough on a busy machine for what must reach the service, or be answered. */
const DEADLINES = { success: 20_000, "none ready": 2000, "refused TLS": 20_000, deadline: 1000, aborted: 20_000 };

type Way = (typeof WAYS)[number];
type Result = AllocatedServer | AllocationError;

const authority = createAuthority("agones");

test("fifty mixed allocations are counted and timed as they came out, and as the service saw them", async () => {
  const tls = { ca: authority.cert };
  await using cluster = await startCluster(Array(EACH).fill("Ready"), { tls: authority.issue("allocator") }, { tls });
  const { service, recorded } = cluster;
  const results = await playMixed(cluster);

  const labels = (outcome: string) => {
    const start = outcome === "success" ? "gameserver.start=warm " : "";
    return `game.mode=ctf ${start}outcome=${outcome} provider=agones region=eu`;
  };
  const told = { success: EACH, ready_timeout: EACH, allocation_failed: EACH, deadline: EACH, aborted: EACH };
  const expected = Object.fromEntries(Object.entries(told).map(([outcome, count]) => [labels(outcome), count]));
  expect(await recorded.points("game.provision.outcomes")).toEqual(expected);
  const durations = (await recorded.points("game.provision.duration")) as Record<
    string,
    { count: number; sum: number }
  >;
  expect(Object.fromEntries(Object.entries(durations).map(([key, { count }]) => [key, count]))).toEqual(expected);
  expect(durations[labels("deadline")]!.sum).toBeGreaterThanOrEqual(EACH * 0.99);

  const { UnAllocated, ...tally } = service.tally();
  const unanswered = told.deadline + told.aborted;
  expect(tally).toEqual({ Allocated: told.success, Contention: 0, Quota: 0, Refused: 0, Unanswered: unanswered });
  // A last call may be cut off by the deadline, asked and not answered.
  const calls = recorded.named("provision.agones_allocate");
  const answers = calls.filter((call) => call.attributes["agones.state"] === "UnAllocated").length;
  expect(UnAllocated).toBeGreaterThanOrEqual(answers);
  expect(UnAllocated).toBeLessThanOrEqual(attemptsOf(results, "none ready"));
  const names = results.get("success")!.map((server) => server.name);
  expect(new Set(names).size).toBe(EACH);
  expect(recorded.named("provision.allocate_server")).toHaveLength(EACH * WAYS.length);
  await cluster.provider.close();
  await cluster.nothingOpen();
});

/** All at once, in a mixed order; a restart of the service with nothing under way in the middle. */
async function playMixed(cluster: Cluster): Promise<ReadonlyMap<Way, Result[]>> {
  const aborts = new Map<string, AbortController>();
  cluster.service.setFault(({ metadata }) => {
    const { way, id } = metadata?.labels ?? {};
    if (way === "aborted") {
      aborts.get(id!)!.abort();
    }
    return way === "aborted" || way === "deadline" ? "hang" : undefined;
  });
  const play = playOne(cluster, aborts);
  const mixed = Array.from(
    { length: EACH * WAYS.length },
    (_, index) => [WAYS[(index * 7) % WAYS.length]!, index] as const,
  );
  const results: (readonly [Way, Result])[] = [];
  for (const half of [mixed.slice(0, mixed.length / 2), mixed.slice(mixed.length / 2)]) {
    results.push(...(await Promise.all(half.map(([way, index]) => play(way, `n${index}`)))));
    await cluster.service.stop();
    await cluster.service.start();
  }
  return new Map(WAYS.map((way) => [way, results.filter(([played]) => played === way).map(([, result]) => result)]));
}

function playOne(cluster: Cluster, aborts: Map<string, AbortController>) {
  const elsewhere = cluster.connect({ fleet: "nowhere" });
  const stranger = cluster.connect({ tls: { ca: createAuthority("stranger").cert } });
  return async (way: Way, id: string): Promise<readonly [Way, Result]> => {
    const abort = new AbortController();
    aborts.set(id, abort);
    const result = await allocate({
      provider: way === "none ready" ? elsewhere : way === "refused TLS" ? stranger : cluster.provider,
      region: "eu",
      mode: "ctf",
      deadline: DEADLINES[way],
      signal: abort.signal,
      labels: { way: way.replace(" ", "-"), id },
    }).catch((error: AllocationError) => error);
    return [way, result];
  };
}

function attemptsOf(results: ReadonlyMap<Way, Result[]>, way: Way): number {
  return results.get(way)!.reduce((sum, { attempts }) => sum + attempts, 0);
}
