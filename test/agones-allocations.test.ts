import type { SpanContext } from "@opentelemetry/api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { observeAllocations } from "../src/boot/allocation.ts";
import type { Boot } from "../src/boot/boot.ts";
import type { GameServer } from "../src/orchestrators/agones/sidecar.ts";
import { createStanding } from "../src/orchestrators/agones/standing.ts";
import type { OrchestratorEvents } from "../src/orchestrators/orchestrator.ts";
import { ANNOTATION_KEYS, REQUESTED_AT_KEY } from "../src/propagation/annotations.ts";
import { formatTraceparent } from "../src/propagation/traceparent.ts";
import type { Step, Teller } from "../src/telling/step.ts";
import { tellingOf, type Look, type Told } from "./model/allocations.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const BOOT: SpanContext = { traceId: "1".repeat(32), spanId: "1".repeat(16), traceFlags: 1 };
const STATES = ["Scheduled", "RequestReady", "Ready", "Reserved"] as const;

test("each allocation that messages show is told once, of the right kind, and never under an earlier one's context", () => {
  const seen = { allocations: 0, late: 0, stale: 0, cold: 0, warm: 0, reused: 0 };
  fc.assert(
    fc.property(deliveries(), (processes) => {
      for (const looks of processes) {
        const process = startProcess();
        looks.forEach((look) => process.see(gameServerOf(look)));
        const expected = tellingOf(looks);
        expect(process.told()).toEqual(expected);
        expect(process.handedBack()).toEqual(handedBack(looks, expected, process.contexts()));
        expect(process.open()).toBe(expected.some(({ past }) => !past) ? 1 : 0);
        process.close();
        for (const { past, link, start } of expected) {
          seen.allocations += 1;
          seen.late += past ? 1 : 0;
          seen.stale += link ? 1 : 0;
          seen[start] += 1;
        }
      }
    }),
    { numRuns: 3000 },
  );
  // A generator that makes none of a kind would prove nothing.
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
});

test("where nobody writes last-allocated, a message of before the allocation does not make it two", () => {
  const process = startProcess();
  const look = { stamp: undefined, context: undefined, asked: undefined };
  const [ready, allocated] = [
    gameServerOf({ ...look, version: 2, state: "Ready" }),
    gameServerOf({ ...look, version: 3, state: "Allocated" }),
  ];
  [ready, allocated, ready, allocated].forEach((message) => process.see(message));
  expect(process.told()).toHaveLength(1);
  [gameServerOf({ ...look, version: 4, state: "Ready" }), allocated].forEach((message) => process.see(message));
  expect(process.told()).toHaveLength(1);
  process.close();
});

/** A GameServer's life, and which of its versions each process beside it is shown, in which order. */
function deliveries(): fc.Arbitrary<Look[][]> {
  const change = fc.record({
    state: fc.oneof(fc.constantFrom(...STATES), { arbitrary: fc.constant("Allocated"), weight: 3 }),
    isAllocation: fc.boolean(),
    brings: fc.constantFrom("a context", "nothing"),
    asked: fc.constantFrom("always" as const, "never yet" as const, undefined),
    skew: fc.integer({ min: -150, max: 150 }),
    copies: fc.constantFrom(0, 1, 1, 1, 2),
    delay: fc.constantFrom(0, 0, 0, 1, 2, 3),
    restart: fc.constantFrom(false, false, false, false, true),
  });
  return fc.array(change, { minLength: 1, maxLength: 14 }).map((changes) => {
    const base = Date.now() - 30_000;
    const stamps = new Set<number>();
    let now: Look = { version: 1, state: "Scheduled", stamp: undefined, context: undefined, asked: undefined };
    let queue: { readonly due: number; readonly look: Look }[] = [];
    const processes: Look[][] = [[]];
    for (const [index, { state, isAllocation, brings, asked, skew, copies, delay, restart }] of changes.entries()) {
      now = { ...now, version: now.version + 1, state };
      if (state === "Allocated" && (isAllocation || now.stamp === undefined)) {
        // Allocators' clocks differ a little; two of them never write the same.
        const stamp = freeStamp(base + index * 100 + skew, stamps);
        const context = brings === "a context" ? String(index + 1).padStart(16, "a") : now.context;
        now = { ...now, stamp, context, asked: asked ?? now.asked };
      }
      if (restart) {
        queue = [];
        processes.push([]);
      }
      queue.push(...Array.from({ length: copies }, (_, copy) => ({ due: index + delay + copy, look: now })));
      processes.at(-1)!.push(...queue.filter(({ due }) => due <= index).map(({ look }) => look));
      queue = queue.filter(({ due }) => due > index);
    }
    processes.at(-1)!.push(...queue.map(({ look }) => look));
    return processes;
  });
}

function freeStamp(wanted: number, taken: Set<number>): number {
  let stamp = wanted;
  while (taken.has(stamp)) {
    stamp += 1;
  }
  taken.add(stamp);
  return stamp;
}

function gameServerOf({ version, state, stamp, context, asked }: Look): GameServer {
  const annotations: Record<string, string> = {
    ...(stamp !== undefined && { "agones.dev/last-allocated": new Date(stamp).toISOString() }),
    ...(context !== undefined && { traceparent: `00-${TRACE}-${context}-01` }),
    ...(asked && { [REQUESTED_AT_KEY]: asked === "always" ? "1" : "999999999999999" }),
  };
  return {
    objectMeta: {
      name: "arena",
      namespace: "default",
      uid: "u",
      resourceVersion: String(version),
      annotationsMap: Object.entries(annotations),
      labelsMap: [],
    },
    status: { state, address: "", portsList: [] },
  };
}

/** The whole way from a message to steps, without sidecar and SDK. */
function startProcess() {
  const opened: Step[] = [];
  const closed = new Set<Step>();
  const past: boolean[] = [];
  const back: Record<string, string> = {};
  const teller: Teller = {
    active: true,
    open(step) {
      opened.push(step);
      step.spanContext = { ...BOOT, spanId: opened.length.toString(16).padStart(16, "b") };
    },
    close: (step) => closed.add(step),
    note() {},
  };
  const allocations = observeAllocations(teller, { step: { spanContext: BOOT } } as Boot, ANNOTATION_KEYS);
  const to = {
    identified() {},
    released() {},
    trouble() {},
    allocated(allocation) {
      past.push(allocation.past);
      const context = allocations.allocated(allocation);
      return context && formatTraceparent(context);
    },
  } satisfies Partial<OrchestratorEvents>;
  const { see } = createStanding({
    to: to as Partial<OrchestratorEvents> as OrchestratorEvents,
    handBack: { set: (values) => void Object.assign(back, values), again() {}, close() {} },
    onAllocated: undefined,
  });
  return {
    see,
    close: () => allocations.close(),
    open: () => opened.length - closed.size,
    contexts: () => opened.map(({ spanContext }) => formatTraceparent(spanContext!)),
    handedBack: () => back,
    told: (): Told[] =>
      opened.map(({ start, parent, links, attributes }, index) => ({
        at: start,
        past: past[index]!,
        start: attributes["gameserver.start"] as Told["start"],
        parent: (parent as SpanContext | undefined)?.spanId,
        link: links.find(({ source }) => source === "annotation")?.context.spanId,
      })),
  };
}

/** How many there were, and the context of the newest. */
function handedBack(
  looks: readonly Look[],
  told: readonly Told[],
  contexts: readonly string[],
): Record<string, string> {
  const version = ({ at }: Told) => looks.find(({ stamp }) => stamp === at)!.version;
  const inTime = told.filter((one) => {
    const index = looks.findIndex(({ stamp }) => stamp === one.at);
    return looks.slice(0, index).every((look) => look.version <= version(one));
  });
  const newest = inTime.at(-1);
  return {
    ...(told.length > 0 && { allocations: String(told.length) }),
    ...(newest && { traceparent: contexts[told.indexOf(newest)]! }),
  };
}
