import type { SpanContext } from "@opentelemetry/api";
import { ATTRIBUTES, ERROR_TYPES, SPANS } from "../conventions.ts";
import { around } from "../internal/around.ts";
import { now } from "../internal/clock.ts";
import { describe, guard, warn } from "../internal/report.ts";
import type { Allocation, Carrier } from "../orchestrators/orchestrator.ts";
import { contextFromAnnotations, requestedAtFromAnnotations } from "../propagation/annotations.ts";
import { admit } from "../propagation/trust.ts";
import {
  contextOf,
  newStep,
  type AllocationSpan,
  type Failure,
  type Step,
  type StepLink,
  type Teller,
} from "../telling/step.ts";
import type { Boot } from "./boot.ts";

/** After this long an allocation counts as lost: nothing that stays open longer may be a parent. */
const LONGEST_MS = 60_000;

/** As many links as an OpenTelemetry SDK keeps on a span. */
const MAX_PLAYERS = 128;

export interface Allocations {
  /** The one that is not playable yet. */
  readonly open: Step | undefined;
  /** Whether the server is in one, playable or not. */
  readonly isAllocated: boolean;
  /** Returns its context. */
  allocated(allocation: Allocation): SpanContext | undefined;
  /** The match is over: who joins now is none of its players. */
  released(): void;
  /** A map is loaded: playable, unless the game prepares itself. */
  mapLoaded(): void;
  /** A player has joined: playable likewise. */
  joined(): void;
  close(): void;
}

interface Current {
  readonly at: number;
  readonly start: AllocationStart;
  readonly step: Step;
  readonly prepared: boolean;
  readonly timer: NodeJS.Timeout;
  open: boolean;
  hadJoin: boolean;
}

/** What the match found. `cold`: whoever asked was waiting already when the server turned Ready. */
type AllocationStart = "warm" | "cold" | "reused";

export function observeAllocations(teller: Teller, boot: Boot, annotationKeys: readonly string[]): Allocations {
  let current: Current | undefined;

  function close(allocation: Current | undefined = current, failure?: Failure): void {
    if (allocation?.open) {
      clearTimeout(allocation.timer);
      allocation.open = false;
      allocation.step.failure = failure;
      teller.close(allocation.step);
    }
  }

  function took(span: AllocationSpan, { at, start }: Current): void {
    teller.note({ note: "allocation", span, seconds: Math.max(0, now() - at) / 1000, start });
  }

  function playable(allocation: Current | undefined): void {
    if (allocation?.open) {
      took("allocated_to_playable", allocation);
      close(allocation);
    }
  }

  function begin(allocation: Allocation): Current {
    const start = startOf(allocation);
    const step = openStep(teller, boot, allocation, start, annotationKeys);
    const timer = setTimeout(() => close(begun), LONGEST_MS).unref();
    const { at, prepare } = allocation;
    const begun: Current = { at, start, step, timer, prepared: prepare !== undefined, open: true, hadJoin: false };
    if (allocation.readyAt !== undefined) {
      const seconds = Math.max(0, at - allocation.readyAt) / 1000;
      teller.note({ note: "allocation", span: "ready_to_allocated", seconds, start });
    }
    return begun;
  }

  const mapLoaded = () => current?.prepared || playable(current);
  return {
    get open() {
      return current?.open ? current.step : undefined;
    },
    get isAllocated() {
      return current !== undefined;
    },
    close: () => close(),
    released() {
      close();
      current = undefined;
    },
    mapLoaded,
    joined() {
      mapLoaded();
      if (current && !current.hadJoin) {
        current.hadJoin = true;
        took("allocated_to_first_join", current);
      }
    },
    allocated(allocation) {
      const begun = begin(allocation);
      if (allocation.past) {
        close(begun);
        return begun.step.spanContext;
      }
      close();
      current = begun;
      if (allocation.prepare) {
        runPreparation(begun.step, allocation.prepare, (failure) =>
          guard("allocated", () => (failure ? close(begun, failure) : playable(begun))),
        );
      }
      return begun.step.spanContext;
    },
  };
}

/** Whoever does not say since when they wait has found a server that was Ready. */
function startOf({ reused, annotations, readyAt = Infinity }: Allocation): AllocationStart {
  if (reused) {
    return "reused";
  }
  return (requestedAtFromAnnotations(annotations) ?? Infinity) < readyAt ? "cold" : "warm";
}

function openStep(
  teller: Teller,
  boot: Boot,
  { at, annotations, staleAnnotations, source = "annotation", players = [], attributes }: Allocation,
  start: AllocationStart,
  annotationKeys: readonly string[],
): Step {
  const extraction = contextFromAnnotations(annotations, annotationKeys);
  const isStale = isSame(extraction, contextFromAnnotations(staleAnnotations, annotationKeys));
  const admission = admit(extraction, isStale ? "link" : "continue");
  teller.note({ note: "trace_context", source, outcome: admission.outcome });
  const latest = now();
  const step = newStep(SPANS.allocated, {
    // The allocator's clock may run ahead, and a restarted process sees allocations of long ago.
    start: Math.min(latest, Math.max(at, latest - LONGEST_MS)),
    parent: admission.parent,
    links: [
      ...(boot.step.spanContext ? [{ context: boot.step.spanContext }] : []),
      ...(admission.link ? [{ context: admission.link, source }] : []),
      ...linksTo(players),
    ],
    attributes: { ...attributes, [ATTRIBUTES.gameserverStart.key]: start },
  });
  teller.open(step);
  return step;
}

function linksTo(players: readonly Carrier[]): StepLink[] {
  return players
    .map((carrier) => contextFromAnnotations(carrier))
    .filter((found) => typeof found === "object")
    .slice(0, MAX_PLAYERS)
    .map((context) => ({ context, source: "player" }));
}

/** An allocation takes no annotation away: what stood there before is the context of an earlier match. */
function isSame(a: ReturnType<typeof contextFromAnnotations>, b: typeof a): boolean {
  return typeof a === "object" && typeof b === "object" && a.spanId === b.spanId && a.traceId === b.traceId;
}

function runPreparation(step: Step, prepare: () => unknown, done: (failure?: Failure) => void): void {
  try {
    const result = around(
      prepare,
      (ok, outcome) => {
        const failure = ok ? undefined : { type: ERROR_TYPES.hookError, expected: false, message: describe(outcome) };
        if (failure) {
          warn(
            "prepare",
            `preparing the match failed (onAllocated, onGameSession), the server stays allocated: ${failure.message}`,
          );
        }
        done(failure);
      },
      contextOf(step),
    );
    void Promise.resolve(result).catch(() => {});
  } catch {
    // Told above.
  }
}
