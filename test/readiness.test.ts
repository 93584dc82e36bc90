import { expect, test } from "vitest";
import { answerProbe, type Health } from "../src/endpoints/readiness.ts";
import { createStatus } from "../src/boot/status.ts";

const health = (state: Health["state"], reason?: string): Health => ({
  state,
  since: 1000,
  reason,
  phases: { load: 0.21875, listen: 0.002 },
});

test.each([
  ["starting", 503, 503, 200],
  ["ready", 200, 200, 200],
  ["allocated", 200, 200, 200],
  ["draining", 200, 503, 200],
  ["stopped", 200, 503, 200],
] as const)("while %s /startupz answers %i, /readyz %i and /livez %i", (state, startup, ready, live) => {
  const statuses = ["/startupz", "/readyz", "/livez"].map((path) => answerProbe(path, health(state), 3500)!.status);
  expect(statuses).toEqual([startup, ready, live]);
});

test("/readyz names the state, how long it lasts, why it is not ready and how long each phase of the boot took", () => {
  expect(answerProbe("/readyz", health("starting", "no sidecar"), 3500)!.body).toEqual({
    state: "starting",
    seconds: 2.5,
    reason: "no sidecar",
    boot: { load: 0.219, listen: 0.002 },
  });
});

test("gameserver.readiness is what /readyz says, also while the orchestrator is away", () => {
  const status = createStatus(0);
  const readings = () => [...status.readiness()];
  expect(readings()).toEqual([[{}, 0]]);
  status.enter("ready");
  expect(readings()).toEqual([[{}, 1]]);
  status.suffer("no sidecar");
  expect(readings()).toEqual([[{}, 0]]);
  status.suffer(undefined);
  status.enter("allocated");
  expect(readings()).toEqual([[{}, 1]]);
  status.fail("the boot failed");
  expect(readings()).toEqual([[{}, 0]]);
});

test("an allocation that arrives while the server drains does not make it ready again", () => {
  const status = createStatus(0);
  for (const state of ["ready", "draining", "allocated", "stopped", "ready"] as const) {
    status.enter(state);
  }
  expect(status.state).toBe("stopped");
  expect([...status.reading()].filter(([, value]) => value === 1)).toEqual([[{ state: "stopped" }, 1]]);
});
