import { Room } from "@colyseus/core";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import { ERROR_TYPES } from "../src/conventions.ts";
import { createGate, type Gate } from "../src/propagation/gate.ts";
import { stripJoinOptions } from "../src/propagation/join-options.ts";
import { dice, EVIL, hostileValues, pick } from "./_hostile.ts";
import { CURRENT } from "./_secrets.ts";
import { startServer, until, type TestServer } from "./_server.ts";

const MILLION = 1_000_000;
const CARRIERS = ["traceparent", "tracestate", "colyseus-otel"] as const;
const OUTCOMES = ["absent", "capped", "continued", "ignored", "malformed", "unsigned"];

class Arena extends Room {}

test(
  "a million random payloads: nothing is thrown, nothing unsigned is believed, and the heap stays flat",
  { timeout: 120_000 },
  () => {
    const seed = Date.now() & 0x7fffffff;
    const [values, roll] = [hostileValues(5000, seed), dice(seed)];
    const gates = { signed: createGate({ secrets: [CURRENT], audience: undefined }), open: createGate("continue") };
    const tally = new Map<string, number>();
    const heap: number[] = [];
    for (let count = 0; count < MILLION; count += 1) {
      if (count % (MILLION / 4) === MILLION / 8) {
        heap.push(usedHeap());
      }
      const options = roll(50) === 0 ? pick(values, roll) : payload(values, roll);
      const headers = { traceparent: pick(values, roll), tracestate: pick(values, roll) };
      const believed = admittedBy(gates.signed, options, headers, tally);
      expectNone(believed, () => `seed ${seed}, payload ${count}: ${JSON.stringify({ options, headers })}`);
      admittedBy(gates.open, options, headers, tally);
      stripJoinOptions(options);
    }
    // The payloads come by every way.
    expect([...tally.keys()].toSorted()).toEqual(OUTCOMES);
    expect(heap.at(-1)! - heap[0]!, `bytes after each 250,000: ${heap.join()}`).toBeLessThan(1 << 20);
  },
);

test(
  "thousands of hostile requests over HTTP: each is answered, none is a label or a name, and the next player plays",
  { timeout: 120_000 },
  async () => {
    const seed = Date.now() & 0x7fffffff;
    // Core says a line for each room that a stranger wants to come back to.
    vi.spyOn(console, "info").mockImplementation(() => {});
    await using game = await startServer({ arena: Arena });
    const [values, roll] = [hostileValues(2000, seed), dice(seed)];
    for (let sent = 0; sent < 3000; sent += 50) {
      const statuses = await Promise.all(Array.from({ length: 50 }, async () => attack(game, values, roll)));
      expect(
        statuses.filter((status) => status < 200 || status > 599),
        `seed ${seed}`,
      ).toEqual([]);
    }
    const room = await game.client().joinOrCreate("arena", { name: "Ann" });
    await room.leave();
    const ended = () => game.recorded.named("session.lifecycle").map(({ attributes }) => attributes["session.id"]);
    await until("Ann's end", () => ended().includes(room.sessionId));
    const told = await Promise.all((await game.recorded.metricNames()).map(async (name) => game.recorded.points(name)));
    const labels = new Set(told.flatMap((points) => Object.keys(points).flatMap((point) => point.split(" "))));
    expect(
      [...labels].filter((label) => !LABELS.has(label)),
      `seed ${seed}`,
    ).toEqual([]);
    const spans = game.recorded.spans().map(({ name, attributes, status }) => ({ name, attributes, status }));
    expect(JSON.stringify(spans)).not.toContain(EVIL);
    expect(spans.length).toBeGreaterThan(1000);
  },
);

/** Every label that this test's server may have, whoever plays. */
const LABELS = new Set(
  Object.entries({
    room: ["arena"],
    source: ["environment", "header", "join_options", "session_token"],
    outcome: [...OUTCOMES, "accepted", "refused_full", "refused_auth", "error", "consumed", "expired", "success"],
    kind: ["new", "moved", "reconnect"],
    "error.type": Object.values(ERROR_TYPES),
    phase: ["load", "prepare", "listen", "orchestrator", "total", "in_game", "reconnecting"],
    state: ["starting", "ready", "allocated", "draining", "stopped"],
    end_reason: ["client_quit"],
    end_type: ["graceful"],
  }).flatMap(([label, words]) => words.map((word) => `${label}=${word}`)),
).add("");

function payload(values: readonly unknown[], roll: (below: number) => number): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const key of CARRIERS) {
    if (roll(8) > 0) {
      options[key] = pick(values, roll);
    }
  }
  if (roll(4) === 0) {
    options["extra"] = roll(2) === 0 ? { traceparent: pick(values, roll) } : pick(values, roll);
  }
  return options;
}

/** What was believed, of everything. */
function admittedBy(gate: Gate, options: unknown, headers: object, tally: Map<string, number>): readonly unknown[] {
  const { player, session } = gate.joinOptions(options);
  const header = gate.headers(headers, !player.parent);
  for (const { outcome } of [player, session, header]) {
    tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
  }
  return [player.parent, session.token, header.parent];
}

/** Without expect(), which takes longer than all the rest. */
function expectNone(believed: readonly unknown[], what: () => string): void {
  if (believed.some((one) => one !== undefined)) {
    throw new Error(`believed ${JSON.stringify(believed)}: ${what()}`);
  }
}

/** A request that a stranger may send: any method and room, any body, any header that HTTP lets through. */
async function attack(
  { url }: TestServer,
  values: readonly unknown[],
  roll: (below: number) => number,
): Promise<number> {
  const method = ["joinOrCreate", "joinOrCreate", "create", "join", "joinById", "reconnect", `${EVIL}Method`][roll(7)];
  const room = ["arena", "arena", "arena", `${EVIL}-${roll(1e6)}`, "__proto__", "hasOwnProperty", "%00"][roll(7)]!;
  const text = JSON.stringify({ ...payload(values, roll), [`${EVIL}Key`]: EVIL });
  const body = roll(20) === 0 ? text.slice(0, roll(text.length)) : text;
  const header = JSON.stringify(pick(values, roll)).replaceAll(/^"|"$|[^ -~]/g, "");
  const response = await fetch(`${url}/matchmake/${method}/${encodeURIComponent(room)}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      traceparent: header.slice(0, 4096),
      tracestate: EVIL,
      baggage: EVIL,
    },
    body,
  });
  await response.arrayBuffer();
  return response.status;
}

function usedHeap(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
