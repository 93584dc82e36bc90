import { ERROR_TYPES, SPANS } from "../conventions.ts";
import { around } from "../internal/around.ts";
import { now } from "../internal/clock.ts";
import { describe, guard, warn } from "../internal/report.ts";
import type { Allocation } from "../orchestrators/orchestrator.ts";
import { contextFromAnnotations } from "../propagation/annotations.ts";
import { admit } from "../propagation/trust.ts";
import { contextOf, newStep, type Failure, type Step, type Teller } from "../telling/step.ts";
import type { Boot } from "./boot.ts";

/** After this long an allocation counts as playable, or as lost: nothing that stays open longer may be a parent. */
const LONGEST_MS = 60_000;

export interface Allocations {
  /** The one that is not playable yet. */
  readonly open: Step | undefined;
  allocated(allocation: Allocation): void;
  /** A map is loaded, or a player has joined: playable, unless the game prepares itself. */
  playable(): void;
  close(): void;
}

export function observeAllocations(teller: Teller, boot: Boot, annotationKeys: readonly string[]): Allocations {
  let current: { readonly step: Step; readonly prepared: boolean; readonly timer: NodeJS.Timeout } | undefined;

  function close(step: Step | undefined = current?.step, failure?: Failure): void {
    if (!current || current.step !== step) {
      return;
    }
    clearTimeout(current.timer);
    current = undefined;
    step.failure = failure;
    teller.close(step);
  }

  return {
    get open() {
      return current?.step;
    },
    close: () => close(),
    playable() {
      if (current && !current.prepared) {
        close();
      }
    },
    allocated({ at, annotations, attributes, prepare }) {
      close();
      const step = openStep(teller, boot, contextFromAnnotations(annotations, annotationKeys), at, attributes);
      const timer = setTimeout(() => close(step), LONGEST_MS).unref();
      current = { step, prepared: prepare !== undefined, timer };
      if (prepare) {
        runPreparation(step, prepare, (failure) => guard("allocated", () => close(step, failure)));
      }
    },
  };
}

function openStep(
  teller: Teller,
  boot: Boot,
  extraction: ReturnType<typeof contextFromAnnotations>,
  at: number,
  attributes: Allocation["attributes"],
): Step {
  const admission = admit(extraction, "continue");
  teller.note({ note: "trace_context", source: "annotation", outcome: admission.outcome });
  const latest = now();
  const step = newStep(SPANS.allocated, {
    // The allocator's clock may run ahead, and a restarted process sees allocations of long ago.
    start: Math.min(latest, Math.max(at, latest - LONGEST_MS)),
    parent: admission.parent,
    links: boot.step.spanContext ? [{ context: boot.step.spanContext }] : [],
    attributes,
  });
  teller.open(step);
  return step;
}

function runPreparation(step: Step, prepare: () => unknown, done: (failure?: Failure) => void): void {
  try {
    const result = around(
      prepare,
      (ok, outcome) => {
        const failure = ok ? undefined : { type: ERROR_TYPES.hookError, expected: false, message: describe(outcome) };
        if (failure) {
          warn("onAllocated", `onAllocated failed, the server stays allocated: ${failure.message}`);
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
