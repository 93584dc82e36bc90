import pc from "picocolors";
import { axisOf, barOf } from "./axis.ts";
import { duration, fit } from "./format.ts";
import { SERVICES } from "./expected-span.ts";
import { serviceOf } from "./part.ts";
import type { ReceivedSpan } from "./receiver/spans.ts";
import type { DrawOptions } from "./tree.ts";

/** The game server's boot, its phases as a table: when each began after process start, how long it took, and its place to scale. */
export function drawBoot(spans: readonly ReceivedSpan[], { width = 100, color = false }: DrawOptions = {}): string {
  const paint = pc.createColors(color);
  const boot = spans.find((span) => span.name === "gameserver.boot" && serviceOf(span) === SERVICES.game);
  if (boot === undefined) return "no boot was received";
  const axis = axisOf([boot]);
  const phases = spans
    .filter(({ traceId, parentSpanId }) => traceId === boot.traceId && parentSpanId === boot.spanId)
    .toSorted((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
  const failed = boot.status.code === "ERROR" ? `, failed: ${boot.status.message}` : "";
  const title = `boot: process start to Ready in ${duration(axis.length)}${failed}`;
  const head = `  ${fit("phase", NAME)} ${"began".padStart(TIME)} ${"took".padStart(TIME)}`;
  return [
    paint.bold(title),
    paint.dim(head),
    ...phases.map((span) => {
      const [from, to] = [span.startMs - boot.startMs, span.endMs - boot.startMs];
      const times = `${duration(from).padStart(TIME)} ${duration(to - from).padStart(TIME)}`;
      const bar = barOf(span, axis, width - NAME - 2 * TIME - 6).trimEnd();
      return `  ${fit(span.name, NAME)} ${times}  ${paint.green(bar)}`;
    }),
  ].join("\n");
}

const NAME = 26;
const TIME = 8;
