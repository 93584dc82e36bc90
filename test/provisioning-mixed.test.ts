import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { agones, allocate, type AllocatedServer, type AllocationError, type Provider } from "colyseus-otel/backend";
import { expect, test } from "vitest";
import { startSidecar, type Sidecar } from "../standins/agones-sidecar.ts";
import type { AllocationFault } from "../standins/allocation-answers.ts";
import type { AllocationBooks, Provisioning } from "../standins/allocation-books.ts";
import { startAllocationService } from "../standins/allocation-service.ts";
import { startKubernetesApi } from "../standins/kubernetes-api.ts";
import { kubeConfigOf } from "./_kubernetes.ts";
import { until } from "./_server.ts";

const HOW_MANY = 50;
const KINDS = ["warm", "cold", "reused", "refused", "contention", "quota", "timeout", "hung", "aborted"] as const;

type Kind = (typeof KINDS)[number];

/** What of a kind goes wrong, and how long it is waited for: long enough for a busy machine to ask once. */
const FAULTS: Partial<Record<Kind, AllocationFault>> = {
  refused: "refuse",
  contention: "contention",
  quota: "busy",
  hung: "hang",
  aborted: "hang",
};
const DEADLINES: Partial<Record<Kind, number>> = { contention: 2000, quota: 2500, timeout: 2500, hung: 2000 };

interface Plan {
  readonly kind: Kind;
  readonly region: string;
  readonly mode: string;
  readonly id: string;
}

interface World extends AsyncDisposable {
  readonly books: AllocationBooks;
  connect(options: { readonly fleet: string; readonly meterProvider: MeterProvider }): Provider;
}

const WAYS: Record<string, () => Promise<World>> = {
  async "the allocation service"() {
    const service = await startAllocationService();
    const { endpoint } = service;
    const connect: World["connect"] = (options) => agones({ endpoint, ...options });
    return { books: service, connect, [Symbol.asyncDispose]: () => service.close() };
  },
  async "the Kubernetes API"() {
    const api = await startKubernetesApi();
    const kubernetes = kubeConfigOf(api);
    const connect: World["connect"] = (options) => agones({ kubernetes, ...options });
    return { books: api, connect, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
  },
};

test.each(Object.entries(WAYS).flatMap(([way, start]) => [11, 12].map((seed) => [way, seed, start] as const)))(
  "by %s (seed %i) fifty mixed provisionings are on /metrics as the stand-in counted them, none lost and none doubled",
  async (_way, seed, start) => {
    await using stack = new AsyncDisposableStack();
    const world = stack.use(await start());
    const plans = plansOf(seed);
    const servers = await startServers(stack, world, plans);
    const exporter = new PrometheusExporter({ preventServerStart: true });
    const meterProvider = new MeterProvider({ readers: [exporter] });
    const results = await play(stack, world, plans, servers, meterProvider);

    const counted = world.books.provisionings();
    expect(counted).toHaveLength(HOW_MANY);
    const { resourceMetrics } = await exporter.collect();
    const text = new PrometheusSerializer().serialize(resourceMetrics);
    const expected = countsOf(counted);
    expect(Object.keys(expected).length).toBeGreaterThan(KINDS.length);
    expect(seriesOf(text, "game_provision_outcomes_total")).toEqual(expected);
    expect(seriesOf(text, "game_provision_duration_count")).toEqual(expected);

    const had = results.filter((result) => "start" in result);
    const starts = Object.fromEntries(
      [...Map.groupBy(had, ({ start }) => start)].map(([key, all]) => [key, all.length]),
    );
    expect(starts).toEqual(world.books.starts());
    expect(world.books.tally().Allocated).toBe(had.length);
    const taken = servers.filter((server) => server.state() === "Allocated").map((server) => server.gameServer().name);
    expect(had.map((server) => server.name).toSorted()).toEqual(taken.toSorted());
  },
);

function plansOf(seed: number): Plan[] {
  const random = mulberry(seed);
  const oneOf = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  return Array.from({ length: HOW_MANY }, (_, index) => ({
    kind: oneOf(KINDS),
    region: oneOf(["eu", "us"]),
    mode: oneOf(["ctf", "duel"]),
    id: `n${index}`,
  }));
}

/** A fleet a kind, with as many servers as it is to have. */
async function startServers(stack: AsyncDisposableStack, { books }: World, plans: readonly Plan[]): Promise<Sidecar[]> {
  const servers: Sidecar[] = [];
  for (const { kind, id } of plans.filter((plan) => ["warm", "cold", "reused"].includes(plan.kind))) {
    const state = kind === "cold" ? "Scheduled" : "Ready";
    const server = stack.use(await startSidecar({ name: id, fleet: kind, state }));
    if (kind === "reused") {
      server.allocate({ annotations: { "agones.dev/sdk-allocations": "1" } });
      server.setState("Ready");
    }
    books.register(server);
    servers.push(server);
  }
  return servers;
}

async function play(
  stack: AsyncDisposableStack,
  { books, connect }: World,
  plans: readonly Plan[],
  servers: readonly Sidecar[],
  meterProvider: MeterProvider,
): Promise<(AllocatedServer | AllocationError)[]> {
  const aborts = new Map(plans.map(({ id }) => [id, new AbortController()]));
  const asked = new Set<string>();
  books.setFault(({ metadata }) => {
    const { kind, id } = metadata!.labels as unknown as Plan;
    const first = !asked.has(id);
    asked.add(id);
    if (kind === "aborted") {
      aborts.get(id)!.abort();
    }
    // Some that succeed meet contention first, or a slow answer.
    const odd =
      first && kind === "warm" ? ([undefined, "contention", "slow"] as const)[Number(id.slice(1)) % 3] : undefined;
    return FAULTS[kind] ?? odd;
  });
  const providers = new Map(KINDS.map((kind) => [kind, stack.use(connect({ fleet: kind, meterProvider }))]));
  const results = plans.map(({ kind, region, mode, id }) =>
    allocate({
      provider: providers.get(kind)!,
      region,
      mode,
      labels: { kind, region, mode, id },
      deadline: DEADLINES[kind] ?? 20_000,
      signal: aborts.get(id)!.signal,
    }).catch((error: AllocationError) => error),
  );
  const cold = plans.filter(({ kind }) => kind === "cold");
  await until("every cold one to have asked", () => cold.every(({ id }) => asked.has(id)), 10_000);
  servers.filter((server) => server.state() === "Scheduled").forEach((server) => server.setState("Ready"));
  return Promise.all(results);
}

const OUTCOMES = {
  Allocated: "success",
  UnAllocated: "ready_timeout",
  Contention: "contention",
  Quota: "quota",
  Refused: "allocation_failed",
};

/** How often what came out, by what the stand-in itself has seen. Only who hung up first it cannot see. */
function countsOf(provisionings: readonly Provisioning[]): Record<string, number> {
  const keys = provisionings.map(({ labels, states, start }) => {
    const last = states.at(-1)!;
    const outcome = last === "Unanswered" ? (labels["kind"] === "aborted" ? "aborted" : "deadline") : OUTCOMES[last];
    return `${outcome} ${labels["region"]} ${labels["mode"]} ${start ?? "-"}`;
  });
  return Object.fromEntries([...Map.groupBy(keys, (key) => key)].map(([key, all]) => [key, all.length]));
}

/** The same of a text for Prometheus. */
function seriesOf(text: string, metric: string): Record<string, number> {
  const lines = text.split("\n").filter((line) => line.startsWith(`${metric}{`));
  return Object.fromEntries(
    lines.map((line) => {
      const labels = Object.fromEntries(
        Array.from(line.matchAll(/(\w+)="([^"]*)"/g), ([, key, value]) => [key!, value!]),
      );
      expect(labels["provider"]).toBe("agones");
      const { outcome, region, game_mode: mode, gameserver_start: start = "-" } = labels;
      return [`${outcome} ${region} ${mode} ${start}`, Number(line.split(" ").at(-1))];
    }),
  );
}

/** Small, and the same everywhere: Math.random() has no seed. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
