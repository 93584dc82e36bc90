import { context, trace, type Attributes, type SpanContext } from "@opentelemetry/api";
import { ATTRIBUTES, ERROR_TYPES, SPANS, type SpanConvention } from "../conventions.ts";
import { around } from "../internal/around.ts";
import { now } from "../internal/clock.ts";
import { describe, guard } from "../internal/report.ts";
import { contextOf, newStep, type Failure, type Step, type StepLink, type Teller } from "../telling/step.ts";
import type { Boot } from "./boot.ts";

/** Where parts of the game's own are told, while instrument() is in force. */
export interface PartsObserver {
  readonly teller: Teller;
  readonly boot: Boot;
  /** The allocation that is not playable yet. */
  openAllocation(): Step | undefined;
  /** A map load is over. */
  mapLoaded(): void;
}

/** A part that was over before instrument() was called. */
interface EarlyPart {
  readonly span: SpanConvention;
  readonly attributes: Attributes;
  readonly start: number;
  readonly end: number;
  readonly failure: Failure | undefined;
}

const MAX_EARLY = 100;
const MAX_NAME = 64;

// The process has one boot, and modules load maps before anybody calls instrument(): plain data, and no OpenTelemetry.
const early: EarlyPart[] = [];
let observer: PartsObserver | undefined;

/** From now on parts are told by this observer, those that are over first. */
export function observeParts(next: PartsObserver | undefined): void {
  observer = next;
  if (!next) {
    return;
  }
  for (const { span, attributes, start, end, failure } of early.splice(0)) {
    next.boot.end(next.boot.begin(span, attributes, start), failure, end);
  }
}

/**
 * Times a map load: span `gameserver.map_load`, metric `gameserver.map_load.duration`. Runs `load` and returns what it
 * returns, or throws what it throws. Works before `instrument()`, during the boot and after it.
 *
 * @param name - the map, of a small set: it is a metric label
 * @throws TypeError when `name` is no string of 1 to 64 characters or `load` is no function
 */
export function mapLoad<T>(name: string, load: () => T, { mode }: { readonly mode?: string } = {}): T {
  check("mapLoad", name, load);
  const attributes = { [ATTRIBUTES.gameMap.key]: name, ...(mode !== undefined && { [ATTRIBUTES.gameMode.key]: mode }) };
  return timed(SPANS.mapLoad, attributes, load);
}

/**
 * Times a phase of the game's own boot: span `gameserver.boot.phase` with `game.boot.phase`. Runs `run` and returns what
 * it returns, or throws what it throws.
 *
 * @throws TypeError when `name` is no string of 1 to 64 characters or `run` is no function
 */
export function bootPhase<T>(name: string, run: () => T): T {
  check("bootPhase", name, run);
  return timed(SPANS.bootPhase, { [ATTRIBUTES.bootPhase.key]: name }, run);
}

function timed<T>(span: SpanConvention, attributes: Attributes, run: () => T): T {
  const start = now();
  const part = guard(span.name, () => observer && openPart(observer, span, attributes));
  return around(
    run,
    (ok, outcome) => {
      const failure = ok ? undefined : { type: ERROR_TYPES.hookError, expected: false, message: describe(outcome) };
      guard(span.name, () => {
        if (part && observer) {
          observer.boot.end(part, failure);
        } else if (early.length < MAX_EARLY) {
          early.push({ span, attributes, start, end: now(), failure });
          observeParts(observer);
        }
        if (span === SPANS.mapLoad) {
          observer?.mapLoaded();
        }
      });
    },
    part && contextOf(part),
  );
}

/** Under the active span (room.create), else the open allocation, else the boot; past the boot a trace linked to it. */
function openPart({ teller, boot, openAllocation }: PartsObserver, span: SpanConvention, attributes: Attributes): Step {
  const active = validContext(trace.getSpanContext(context.active()));
  const allocation = openAllocation();
  const links: StepLink[] = [];
  if (active && allocation?.spanContext && active.spanId !== allocation.spanContext.spanId) {
    links.push({ context: allocation.spanContext });
  }
  const parent = active ?? allocation ?? (boot.over ? undefined : boot.step);
  if (!parent && boot.step.spanContext) {
    links.push({ context: boot.step.spanContext });
  }
  const part = newStep(span, { parent, links, attributes });
  teller.open(part);
  return part;
}

function validContext(spanContext: SpanContext | undefined): SpanContext | undefined {
  return spanContext && trace.isSpanContextValid(spanContext) ? spanContext : undefined;
}

function check(where: string, name: unknown, run: unknown): void {
  if (typeof name !== "string" || name.length === 0 || name.length > MAX_NAME) {
    throw new TypeError(
      `${where}: name must be a string of 1 to ${MAX_NAME} characters, got ${JSON.stringify(name)?.slice(0, 100)}`,
    );
  }
  if (typeof run !== "function") {
    throw new TypeError(`${where}("${name}"): the second argument must be a function, got ${typeof run}`);
  }
}
