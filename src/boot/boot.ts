import type { Attributes, SpanContext } from "@opentelemetry/api";
import { SPANS, type SpanConvention } from "../conventions.ts";
import { now, PROCESS_START } from "../internal/clock.ts";
import { newStep, type Failure, type Step, type Teller } from "../telling/step.ts";
import type { Status } from "./status.ts";

/** The way from process start to Ready, told phase by phase. */
export interface Boot {
  readonly step: Step;
  /** Ready, listening without an orchestrator, or failed. */
  readonly over: boolean;
  /** A part of the boot. Its context is handed out. */
  begin(span: SpanConvention, attributes?: Attributes, start?: number): Step;
  /** `end` in epoch milliseconds, for a part that was over before. */
  end(step: Step, failure?: Failure, end?: number): void;
  /** The port is bound: from here on the boot waits for the orchestrator. */
  listening(): void;
  finish(failure?: Failure): void;
}

/** Phases that are one span each; the others are sums of notes. */
const PHASES = new Map<SpanConvention, string>([
  [SPANS.bootLoad, "load"],
  [SPANS.bootPrepare, "prepare"],
  [SPANS.bootListen, "listen"],
  [SPANS.mapLoad, "map_load"],
]);

/** Begins with what is over already: the load phase, from process start to now. */
export function startBoot(teller: Teller, status: Status, parent: SpanContext | undefined): Boot {
  const step = newStep(SPANS.boot, { start: PROCESS_START, parent });
  let over = false;
  let listeningSince: number | undefined;

  function took(phase: string, from: number, to: number): number {
    const seconds = (status.phases[phase] ?? 0) + Math.max(0, to - from) / 1000;
    status.phaseTook(phase, seconds);
    return seconds;
  }

  const boot: Boot = {
    step,
    get over() {
      return over;
    },
    begin(span, attributes = {}, start = now()) {
      const part = newStep(span, { parent: step, attributes, start });
      teller.open(part);
      return part;
    },
    end(part, failure, end) {
      part.failure = failure;
      teller.close(part, end);
      const phase = PHASES.get(part.span);
      if (phase && !over) {
        took(phase, part.start, part.end ?? part.start);
      }
    },
    listening() {
      listeningSince ??= now();
    },
    finish(failure) {
      if (over) {
        return;
      }
      const outcome = failure ? "failed" : "success";
      const end = now();
      if (status.phases["map_load"] !== undefined) {
        teller.note({ note: "boot.phase", phase: "map_load", seconds: status.phases["map_load"], outcome });
      }
      if (listeningSince !== undefined) {
        teller.note({
          note: "boot.phase",
          phase: "orchestrator",
          seconds: took("orchestrator", listeningSince, end),
          outcome,
        });
      }
      took("total", step.start, end);
      over = true;
      step.failure = failure;
      teller.close(step, end);
    },
  };
  teller.open(step);
  boot.end(boot.begin(SPANS.bootLoad, {}, PROCESS_START));
  return boot;
}
