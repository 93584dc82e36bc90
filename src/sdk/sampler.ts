import { INVALID_TRACEID, TraceFlags, trace, type SpanContext } from "@opentelemetry/api";
import type { Sampler, SamplingResult } from "@opentelemetry/sdk-trace";
import { warn } from "../internal/report.ts";

const KEPT: SamplingResult = { decision: 2 };
const DROPPED: SamplingResult = { decision: 0 };

/** A symbol, because a sampler of the game's own may well have a decide() of its own. */
export const DECIDE: unique symbol = Symbol("decide");

/** Ours answers from the parent alone: no context has to be made to ask it. */
export interface HeadSampler extends Sampler {
  [DECIDE](parent: SpanContext | undefined, traceId: string): SamplingResult;
}

// The SDK's own samplers do the same, but spans get their ids and flags before the SDK is loaded; and sdk-trace 3 itself
// does not read OTEL_TRACES_SAMPLER.
type Decide = (traceId: string) => boolean;

const DEFAULT = "parentbased_always_on";

/** The sampler that `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` name; `parentbased_always_on` by default. */
export function samplerFromEnvironment(env: NodeJS.ProcessEnv): HeadSampler {
  const name = env["OTEL_TRACES_SAMPLER"] || DEFAULT;
  const parentBased = name.startsWith("parentbased_");
  const decide = rootDecision(parentBased ? name.slice("parentbased_".length) : name, env["OTEL_TRACES_SAMPLER_ARG"]);
  if (!decide) {
    warn(
      "sampler",
      `OTEL_TRACES_SAMPLER="${name}" is not known, ${DEFAULT} is used; known are always_on, always_off, traceidratio and parentbased_ before each`,
    );
    return samplerFromEnvironment({});
  }
  const answer: HeadSampler[typeof DECIDE] = (parent, traceId) =>
    ((parentBased ? parentDecision(parent) : undefined) ?? decide(traceId)) ? KEPT : DROPPED;
  return {
    [DECIDE]: answer,
    shouldSample: (context, traceId) => answer(trace.getSpanContext(context), traceId),
    toString: () => name,
  };
}

function rootDecision(name: string, argument: string | undefined): Decide | undefined {
  switch (name) {
    case "always_on":
      return () => true;
    case "always_off":
      return () => false;
    case "traceidratio":
      return ratioDecision(argument);
    default:
      return undefined;
  }
}

/** The same share of trace ids as every other JavaScript service keeps, so that traces stay whole. */
function ratioDecision(argument: string | undefined): Decide {
  const ratio = Number(argument ?? 1);
  if (!(ratio >= 0 && ratio <= 1)) {
    warn("sampler", `OTEL_TRACES_SAMPLER_ARG="${argument}" is no number from 0 to 1, 1 is used`);
    return () => true;
  }
  const bound = ratio === 1 ? 2 ** 32 : Math.floor(ratio * 0xffff_ffff);
  return (traceId) => folded(traceId) < bound;
}

function folded(traceId: string): number {
  let sum = 0;
  for (let at = 0; at < traceId.length; at += 8) {
    sum ^= Number.parseInt(traceId.slice(at, at + 8), 16);
  }
  return sum >>> 0;
}

function parentDecision(parent: SpanContext | undefined): boolean | undefined {
  // Not the API's whole check of validity: it reads each character, and the SDK makes it anyway.
  return parent && parent.traceId !== INVALID_TRACEID ? (parent.traceFlags & TraceFlags.SAMPLED) !== 0 : undefined;
}
