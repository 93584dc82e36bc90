import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { createHealthCheck } from "../standins/sidecar-health.ts";
import { watching } from "./_official-sdk.ts";
import { call, watchHttp } from "./_sidecar-http.ts";

afterEach(() => {
  vi.useRealTimers();
});

test("shows its health settings over gRPC, and what Agones fills in for those not given", async () => {
  await using sidecar = await startSidecar({ health: { disabled: true, failureThreshold: 7 } });
  const { seen } = await watching(sidecar);

  expect(seen[0]).toMatchObject({
    spec: { health: { disabled: true, periodSeconds: 5, failureThreshold: 7, initialDelaySeconds: 5 } },
  });
});

test("makes a server without pings Unhealthy, and nothing the SDK asks for leads out of it", async () => {
  const health = { periodSeconds: 1, failureThreshold: 2, initialDelaySeconds: 0 };
  await using sidecar = await startSidecar({ state: "Ready", enforceHealth: true, health });
  using watch = await watchHttp(sidecar);
  await sidecar.waitFor((server) => server.state === "Unhealthy", 10_000, "Unhealthy");
  for (const path of ["/health", "/ready", "/allocate", "/shutdown"]) await call(sidecar, "POST", path, {});

  expect(sidecar.state()).toBe("Unhealthy");
  expect(watch.chunks.map((chunk) => chunk.result?.status.state)).toEqual(["Ready", "Unhealthy"]);
});

test("judges by the last ping: a check later than one period counts, a ping resets, the threshold ends it", () => {
  const times = fc.array(fc.integer({ min: 1, max: 30_000 }), { maxLength: 40 });
  const settings = { periodSeconds: fc.integer({ min: 1, max: 6 }), failureThreshold: fc.integer({ min: 1, max: 4 }) };
  fc.assert(
    fc.property(times, fc.record(settings), fc.integer({ min: 0, max: 6 }), (pings, spec, initialDelaySeconds) => {
      vi.useFakeTimers({ now: 0 });
      let endedAt: number | undefined;
      const health = { ...spec, initialDelaySeconds, disabled: false };
      const check = createHealthCheck(health, () => (endedAt ??= performance.now()));
      const began = performance.now();
      check.start();
      // Half a millisecond aside, so that no ping comes with a check.
      const at = pings.map((ping) => ping + 0.5).sort((a, b) => a - b);
      for (const ping of at) setTimeout(check.ping, ping);
      vi.advanceTimersByTime(30_000);
      check.stop();
      expect(endedAt === undefined ? undefined : endedAt - began).toBe(unhealthyAt(at, health));
    }),
  );
});

test("judges nobody whose health check is disabled", () => {
  vi.useFakeTimers();
  const unhealthy = vi.fn<() => void>();
  const health = { periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 0, disabled: true };
  createHealthCheck(health, unhealthy).start();
  vi.advanceTimersByTime(10_000);

  expect(unhealthy).not.toHaveBeenCalled();
});

test("lets a server live whose pings come", async () => {
  const health = { periodSeconds: 1, failureThreshold: 3, initialDelaySeconds: 0 };
  await using sidecar = await startSidecar({ state: "Ready", enforceHealth: true, health });
  const { sdk } = await watching(sidecar);
  const pinging = setInterval(() => sdk.health(), 100);
  await sidecar.waitFor(() => sidecar.pings.length >= 50, 15_000, "50 pings");
  clearInterval(pinging);

  expect(sidecar.state()).toBe("Ready");
});

test("judges nobody while it is down, and again when it is back", async () => {
  const health = { periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 0 };
  await using sidecar = await startSidecar({ state: "Ready", enforceHealth: true, health });
  const unhealthy = (timeout: number) => sidecar.waitFor(({ state }) => state === "Unhealthy", timeout, "Unhealthy");
  sidecar.stop();
  await expect(unhealthy(2_500)).rejects.toThrow("gave up");
  await sidecar.start();
  await unhealthy(10_000);
});

test("judges from each start on with a clean record", () => {
  vi.useFakeTimers({ now: 0 });
  const began = performance.now();
  const checks: number[] = [];
  const health = { periodSeconds: 1, failureThreshold: 2, initialDelaySeconds: 0, disabled: false };
  const check = createHealthCheck(health, () => checks.push(performance.now() - began));
  check.start();
  // One failure by now: a check right at the end of a period is in time.
  vi.advanceTimersByTime(2_500);
  check.stop();
  vi.advanceTimersByTime(10_000);
  check.start();
  vi.advanceTimersByTime(3_000);
  check.stop();

  expect(checks).toEqual([15_500]);
});

test("applies what the SDK asks for only with its rate limit: the last state, and all metadata at once", async () => {
  await using sidecar = await startSidecar({ rateLimit: 1_500 });
  using watch = await watchHttp(sidecar);
  const began = performance.now();
  await call(sidecar, "POST", "/ready", {});
  await call(sidecar, "POST", "/allocate", {});
  for (const kind of ["annotation", "label"])
    for (const key of ["a", "b"]) await call(sidecar, "PUT", `/metadata/${kind}`, { key, value: "1" });
  sidecar.setState("Reserved");
  expect(sidecar.state()).toBe("Reserved");
  await sidecar.waitFor((server) => server.labels["agones.dev/sdk-b"] === "1");

  expect(performance.now() - began).toBeGreaterThan(1_490);
  await expect.poll(() => watch.chunks.length).toBe(5);
  expect(watch.chunks.map((chunk) => chunk.result?.status.state)).toEqual([
    "Scheduled",
    "Reserved",
    "Allocated",
    "Allocated",
    "Allocated",
  ]);
  expect(Object.keys(sidecar.gameServer().labels)).toEqual([
    "agones.dev/fleet",
    "agones.dev/sdk-a",
    "agones.dev/sdk-b",
  ]);
  expect(Object.keys(sidecar.gameServer().annotations).sort()).toEqual([
    "agones.dev/last-allocated",
    "agones.dev/sdk-a",
    "agones.dev/sdk-b",
  ]);
});

/** checkHealth() in sdkserver.go, told again: when the check that reaches the threshold runs. */
function unhealthyAt(
  pings: readonly number[],
  health: { readonly periodSeconds: number; readonly failureThreshold: number; readonly initialDelaySeconds: number },
): number | undefined {
  const period = health.periodSeconds * 1000;
  let failures = 0;
  let before = 0;
  for (let now = health.initialDelaySeconds * 1000; now <= 30_000; now += period) {
    const last = pings.findLast((ping) => ping < now) ?? 0;
    if (last > before) failures = 0;
    if (now > last + period) failures += 1;
    if (failures >= health.failureThreshold) return now;
    before = now;
  }
}
