import { spawnSync } from "node:child_process";
import { Client } from "@colyseus/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prometheusName } from "../scripts/reference.ts";
import { METRICS, type MetricConvention } from "../src/conventions.ts";
import { startSidecar, type Sidecar } from "../standins/agones-sidecar.ts";
import { startApp, type App } from "./_app.ts";
import { until } from "./_server.ts";

let sidecar: Sidecar;
let app: App;
let exposition: string;

beforeAll(async () => {
  sidecar = await startSidecar({ readyDelay: 120 });
  const env = { AGONES_SDK_GRPC_PORT: String(sidecar.port), OTEL_TRACES_EXPORTER: "none" };
  app = startApp({ agones: {}, beforeListen: 600, endpoints: { port: 0 } }, env);
  const { port } = await app.message("app:listening");
  const { endpoints } = await app.message("app:ready");
  const room = await new Client(`http://127.0.0.1:${port}`).joinOrCreate("arena");
  await room.leave();
  // 503 until the SDK is loaded; and the session ends only when the server has seen the leave.
  await until("the session's end on /metrics", async () => {
    exposition = await (await fetch(`http://127.0.0.1:${endpoints?.port}/metrics`)).text();
    return exposition.includes("game_session_ends_total{");
  });
}, 30_000);

afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await sidecar[Symbol.asyncDispose]();
});

test("boot phases of less than a second fall into different buckets", () => {
  const bucketOf = (phase: string) => {
    const lines = exposition.matchAll(/^gameserver_boot_duration_bucket\{(.*)\} (\d+)$/gm);
    const filled = Array.from(lines, ([, labels, count]) => ({ labels: labels!, count: Number(count) }));
    const first = filled.find(({ labels, count }) => labels.includes(`phase="${phase}"`) && count > 0);
    return Number(/le="([^"]+)"/.exec(first?.labels ?? "")?.[1]);
  };
  const buckets = ["listen", "orchestrator", "prepare"].map(bucketOf);
  expect(buckets.toSorted((a, b) => a - b)).toEqual(buckets);
  expect(new Set(buckets).size).toBe(3);
  expect(Math.max(...buckets)).toBeLessThanOrEqual(1);
});

test("metrics stand on /metrics under the names and labels of docs/metrics.md", () => {
  const types = new Map(Array.from(exposition.matchAll(/^# TYPE (\S+) (\S+)$/gm), ([, name, type]) => [name!, type]));
  const known = new Map<string, MetricConvention>(
    Object.values<MetricConvention>(METRICS).map((metric) => [prometheusName(metric), metric]),
  );
  const ours = [...types.keys()].filter((name) => /^(gameserver|colyseus|game_session)/.test(name));
  expect(ours.length).toBeGreaterThan(10);
  expect(ours.filter((name) => !known.has(name))).toEqual([]);
  const kinds = {
    histogram: "histogram",
    counter: "counter",
    "observable up-down counter": "gauge",
    "observable gauge": "gauge",
  };
  expect(ours.map((name) => types.get(name))).toEqual(ours.map((name) => kinds[known.get(name)!.kind]));
});

test("promtool check metrics has no error", ({ skip }) => {
  const { error, status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
    input: exposition,
    encoding: "utf8",
  });
  const reason = error && `${error.message}: apt-get install prometheus`;
  skip(reason !== undefined && !process.env["CI"], reason);
  expect(reason).toBeUndefined();
  // It parses, and the linter of names has no hint either: that would be exit code 3.
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
});
