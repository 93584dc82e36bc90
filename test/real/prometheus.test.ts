import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { DASHBOARDS } from "../../scripts/dashboards.ts";
import { readRules } from "../_deploy.ts";
import { until } from "../_server.ts";
import { startEvening, type Evening } from "./_evening.ts";
import { startPrometheus, type Prometheus, type Sample } from "./_prometheus.ts";

interface Asked {
  readonly of: string;
  readonly title: string;
  readonly query: string;
}

interface Answered extends Asked {
  readonly samples: readonly Sample[];
}

const PATIENCE = 60_000;

let evening: Evening;
let prometheus: Prometheus;
let playing: Promise<void>;
const over = new AbortController();

beforeAll(async () => {
  // The SDK tells the console of each drop and return.
  for (const method of ["info", "warn"] as const) {
    vi.spyOn(console, method).mockImplementation(() => {});
  }
  evening = await startEvening();
  prometheus = await startPrometheus(evening.jobs);
  const programs = Object.values(evening.jobs).flat().length;
  await until("a scrape of each", async () => (await prometheus.query("up == 1")).length === programs, PATIENCE);
  playing = playOn();
  playing.catch(() => {});
}, PATIENCE);

afterAll(async () => {
  over.abort();
  await playing?.catch(() => {});
  await prometheus?.[Symbol.asyncDispose]();
  await evening?.[Symbol.asyncDispose]();
}, PATIENCE);

test("every panel of the dashboards has data", async () => {
  const asked = DASHBOARDS.flatMap(({ title: of, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap(({ title, queries }) => queries.map(({ expr }) => ({ of, title, query: filledIn(expr) }))),
    ),
  );
  const answered = await allAnswered(asked);
  for (const [of, ofIt] of Map.groupBy(answered, ({ of }) => of)) {
    show(of, ofIt);
  }
  expect(answered.length).toBeGreaterThan(80);
});

test("servers that boot once are counted, which increase() alone does not", async () => {
  const boots = DASHBOARDS.flatMap(({ rows }) => rows.flatMap(({ panels }) => panels)).find(
    ({ title }) => title === "Boots",
  )!;
  const counted = await prometheus.query(filledIn(boots.queries[0]!.expr));
  expect(Object.fromEntries(counted.map(({ metric, value }) => [metric["outcome"], value]))).toEqual({
    success: 2,
    failed: 1,
  });
  const grown = await prometheus.query('sum(increase(gameserver_boot_duration_count{phase="total"}[15m]))');
  expect(grown.map(({ value }) => value)).toEqual([0]);
});

test("every rule is evaluated, and what each of the alerts compares has data", async () => {
  const asked = readRules().map(({ alert, record, expr }) => ({
    of: alert ? "alerts, without what they compare with" : "recorded",
    title: alert ?? record!,
    // Nor is a minute waited for what was a minute ago.
    query: expr.split(/ (?:[<>]|==) /)[0]!.replaceAll(/ offset \d+s/g, ""),
  }));
  for (const [of, answered] of Map.groupBy(await allAnswered(asked), ({ of }) => of)) {
    show(of, answered);
  }
  const states = await prometheus.rules();
  expect(states.filter(({ health }) => health !== "ok")).toEqual([]);
  expect(states).toHaveLength(asked.length);
});

test("what went wrong in the evening is told by its alerts, and a sidecar that goes away by its own", async () => {
  const notable = async () => (await prometheus.rules()).filter(({ state = "inactive" }) => state !== "inactive");
  const told = (...names: readonly string[]) =>
    whileItLasts(
      until(
        `alerts: ${names.join(", ")}`,
        async () => {
          const raised = (await notable()).map(({ name }) => name);
          return names.every((name) => raised.includes(name));
        },
        PATIENCE,
      ),
    );
  await told("ProvisioningFails", "WarmHitRateLow", "GameServerBootFails", "GameServerStuckInBoot", "SessionsCrash");
  expect((await notable()).map(({ name }) => name)).not.toContain("SidecarAway");
  evening.sidecar.stop();
  await told("SidecarAway");
  console.log((await notable()).map(({ name, state }) => `${state} ${name}`).join("\n"));
});

test("promtool has nothing to say of what any of the programs shows", async () => {
  for (const port of Object.values(evening.jobs).flat()) {
    const input = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  }
});

test.each([
  ["check", "deploy/prometheus/rules.yaml"],
  ["test", "deploy/prometheus/rules.test.yaml"],
])("promtool %s rules %s", (verb, file) => {
  const { status, stdout, stderr } = spawnSync("promtool", [verb, "rules", file], { encoding: "utf8" });
  expect(status, stdout + stderr).toBe(0);
});

async function playOn(): Promise<void> {
  while (!over.signal.aborted) {
    await evening.play();
  }
}

/** Fails at once when something goes wrong in the evening. */
async function whileItLasts<T>(answer: Promise<T>): Promise<T> {
  const ended = playing.then(() => Promise.reject(new Error("the evening was over")));
  return Promise.race([answer, ended]);
}

async function allAnswered(asked: readonly Asked[]): Promise<Answered[]> {
  let answered: Answered[] = [];
  const empty = () => answered.filter(({ samples }) => samples.length === 0);
  const askAll = async () => {
    answered = await Promise.all(asked.map(async (one) => ({ ...one, samples: await prometheus.query(one.query) })));
    return empty().length === 0;
  };
  const done = until("an answer to every query", askAll, PATIENCE);
  await whileItLasts(done).catch((error: unknown) => {
    const still = empty().map(({ of, title, query }) => `${of}: ${title}\n  ${query}`);
    throw still.length > 0
      ? new Error(`${(error as Error).message}. No data:\n${still.join("\n")}`, { cause: error })
      : error;
  });
  return answered;
}

/** As Grafana does, with everything chosen. */
function filledIn(expr: string): string {
  return expr
    .replaceAll("$__rate_interval", "10s")
    .replaceAll("$window", "15m")
    .replaceAll(/\$(job|region|mode|room)\b/g, ".*");
}

/** Panel, query, number of series, last value. */
function show(of: string, answered: readonly Answered[]): void {
  const rows = answered.map(({ title, query, samples }) => [
    title,
    String(samples.length),
    samples[0]!.value.toPrecision(4),
    query.replaceAll(/job=~"\.\*",?/g, "").replaceAll("{}", ""),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  console.log([`${of}: panel, series, last value, query`, ...lines].join("\n"));
}
