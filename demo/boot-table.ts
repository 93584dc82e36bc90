import pc from "picocolors";
import { axisOf, barOf, type Axis } from "./axis.ts";
import { duration, fit } from "./format.ts";
import { SERVICES } from "./expected-span.ts";
import { serviceOf } from "./part.ts";
import type { ReceivedSpan } from "./receiver/spans.ts";
import type { DrawOptions } from "./tree.ts";

/** The game server's boot, its phases as a table: when each began after process start, how long it took, and its place to scale. */
export function drawBoot(spans: readonly ReceivedSpan[], options: DrawOptions = {}): string {
  const boot = bootOf(spans);
  if (boot === undefined) return "no boot was received";
  const axis = axisOf([boot]);
  const failed = boot.status.code === "ERROR" ? `, failed: ${boot.status.message}` : "";
  const title = `boot: process start to Ready in ${duration(axis.length)}${failed}`;
  return drawTable(title, phasesOf(boot, spans), axis, options);
}

/**
 * Where the boot began while somebody waited for a server: everything from their request to the arena on one axis, as the
 * boot is a trace of its own. Undefined where it did not.
 */
export function drawWait(spans: readonly ReceivedSpan[], options: DrawOptions = {}): string | undefined {
  const boot = bootOf(spans);
  const request = spans.find(
    ({ name, startMs, endMs }) =>
      name === "provision.allocate_server" && boot && startMs < boot.startMs && boot.startMs < endMs,
  );
  if (boot === undefined || request === undefined) return undefined;
  const asked = spans.filter(({ traceId, name }) => traceId === request.traceId && ON_THE_WAY.test(name));
  const rows = [boot, ...phasesOf(boot, spans), ...asked].toSorted(byStart);
  const end = Math.max(...rows.map(({ endMs }) => endMs));
  const length = end - request.startMs;
  const title = `wait: from the request for a server to the arena in ${duration(length)}`;
  return drawTable(title, rows, { start: request.startMs, length, clipped: false }, options);
}

const ON_THE_WAY = /^(provision\.|gameserver\.|matchmake |room\.join )/;
const NAME = 26;
const TIME = 8;

function bootOf(spans: readonly ReceivedSpan[]): ReceivedSpan | undefined {
  return spans.find((span) => span.name === "gameserver.boot" && serviceOf(span) === SERVICES.game);
}

function phasesOf(boot: ReceivedSpan, spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  return spans
    .filter(({ traceId, parentSpanId }) => traceId === boot.traceId && parentSpanId === boot.spanId)
    .toSorted(byStart);
}

function drawTable(
  title: string,
  rows: readonly ReceivedSpan[],
  axis: Axis,
  { width = 100, color = false }: DrawOptions,
): string {
  const paint = pc.createColors(color);
  const head = `  ${fit("phase", NAME)} ${"began".padStart(TIME)} ${"took".padStart(TIME)}`;
  return [
    paint.bold(title),
    paint.dim(head),
    ...rows.map((span) => {
      const [from, to] = [span.startMs - axis.start, span.endMs - axis.start];
      const times = `${duration(from).padStart(TIME)} ${duration(to - from).padStart(TIME)}`;
      const bar = barOf(span, axis, width - NAME - 2 * TIME - 6).trimEnd();
      return `  ${fit(span.name, NAME)} ${times}  ${paint.green(bar)}`;
    }),
  ].join("\n");
}

function byStart(a: ReceivedSpan, b: ReceivedSpan): number {
  return a.startMs - b.startMs || b.endMs - a.endMs;
}
