import pc from "picocolors";
import { axisOf, barOf, type Axis } from "./axis.ts";
import { count, cut, duration, fit, shortId } from "./format.ts";
import type { ReceivedSpan } from "./receiver/spans.ts";

export interface DrawOptions {
  /** Columns of the terminal. @default 100 */
  readonly width?: number;
  /** Colour belongs on a TTY only. @default false */
  readonly color?: boolean;
}

/** Every trace of `spans` as a tree, the earliest first. */
export function drawTraces(spans: readonly ReceivedSpan[], options: DrawOptions = {}): string {
  const traces = [...Map.groupBy(spans, (span) => span.traceId).values()];
  traces.sort((a, b) => startOf(a) - startOf(b));
  return traces.map((trace) => drawTrace(trace, spans, options)).join("\n\n");
}

/**
 * One trace as a tree: name, process, bar to scale, duration; below a span where it was continued from, what it is
 * linked to and what went wrong.
 * @param all where the targets of links are looked for
 */
function drawTrace(
  trace: readonly ReceivedSpan[],
  all: readonly ReceivedSpan[],
  { width = 100, color = false }: DrawOptions = {},
): string {
  const drawing = newDrawing(trace, all, width, color);
  const { paint, axis } = drawing;
  const services = [...new Set(trace.toSorted(byStart).map(serviceOf))].join(", ");
  const length = Math.max(...trace.map((span) => span.endMs)) - axis.start;
  const scale = axis.clipped ? `; bars: the first ${duration(axis.length)}, ▶ goes on` : "";
  const title = `trace ${trace[0]?.traceId ?? ""}`;
  const facts = `${count(trace.length, "span")}, ${duration(length)}, ${services}${scale}`;
  const roots = trace.filter((span) => !drawing.byId.has(span.parentSpanId ?? ""));
  // Behind the roots all others: what is its own ancestor hangs under none, and is drawn all the same.
  const lines = [...roots.toSorted(byStart), ...trace].flatMap((root) => drawSpan(drawing, root, "", ""));
  return [paint.bold(title), paint.dim(cut(facts, width)), ...lines].join("\n");
}

interface Drawing {
  readonly width: number;
  readonly axis: Axis;
  readonly drawn: Set<ReceivedSpan>;
  readonly byId: ReadonlyMap<string, ReceivedSpan>;
  readonly anywhere: ReadonlyMap<string, ReceivedSpan>;
  readonly children: ReadonlyMap<string | undefined, readonly ReceivedSpan[]>;
  readonly columns: { readonly name: number; readonly service: number; readonly bar: number };
  readonly paint: ReturnType<typeof pc.createColors>;
}

const DURATION_COLUMN = 8;

function newDrawing(
  trace: readonly ReceivedSpan[],
  all: readonly ReceivedSpan[],
  width: number,
  color: boolean,
): Drawing {
  const service = Math.min(16, Math.max(...trace.map((span) => serviceOf(span).length)));
  const name = Math.min(46, Math.floor(width * 0.46));
  return {
    width,
    axis: axisOf(trace),
    drawn: new Set(),
    byId: new Map(trace.map((span) => [span.spanId, span])),
    anywhere: new Map(all.map((span) => [span.spanId, span])),
    children: Map.groupBy(trace, (span) => span.parentSpanId),
    columns: { name, service, bar: width - name - service - DURATION_COLUMN - 3 },
    paint: pc.createColors(color),
  };
}

function drawSpan(
  drawing: Drawing,
  span: ReceivedSpan,
  branch: string,
  below: string,
  before?: ReceivedSpan,
): string[] {
  if (drawing.drawn.has(span)) return [];
  drawing.drawn.add(span);
  const { paint, columns, axis, width } = drawing;
  const failed = span.status.code === "ERROR";
  const name = fit(`${branch}${failed ? "✗ " : ""}${span.name}`, columns.name);
  const bar = barOf(span, axis, columns.bar);
  const took = duration(span.endMs - span.startMs).padStart(DURATION_COLUMN);
  const line = [
    paint.dim(branch) + (failed ? paint.red : paint.bold)(name.slice(branch.length)),
    paint.cyan(fit(serviceOf(span), columns.service)),
    (failed ? paint.red : paint.green)(bar),
    took,
  ].join(" ");
  const children = (drawing.children.get(span.spanId) ?? []).toSorted(byStart);
  const notes = notesOf(drawing, span, before).map((note) => `${below}${children.length > 0 ? "│ " : "  "}${note}`);
  return [
    line,
    ...notes.map((note) => paint.dim(cut(note, width))),
    ...children.flatMap((child, at) => {
      const last = at === children.length - 1;
      const [sign, space] = last ? ["└─ ", "   "] : ["├─ ", "│  "];
      return drawSpan(drawing, child, `${below}${sign}`, `${below}${space}`, children[at - 1]);
    }),
  ];
}

// Where it was continued from is said once of the neighbours that one service has told.
function notesOf(drawing: Drawing, span: ReceivedSpan, before: ReceivedSpan | undefined): string[] {
  const parent = drawing.byId.get(span.parentSpanId ?? "");
  const notes: string[] = [];
  const said = before !== undefined && serviceOf(before) === serviceOf(span);
  if (parent !== undefined && serviceOf(parent) !== serviceOf(span) && !said)
    notes.push(`↳ continued from ${parent.name} in ${serviceOf(parent)}`);
  if (parent === undefined && span.parentSpanId !== undefined)
    notes.push(`↳ continued from span ${shortId(span.parentSpanId)}, which was not received`);
  for (const { traceId, spanId } of span.links) {
    const target = drawing.anywhere.get(spanId);
    const where = traceId === span.traceId ? "this trace" : `trace ${shortId(traceId)}`;
    notes.push(`⇢ linked to ${target?.name ?? `span ${shortId(spanId)}`} in ${where}`);
  }
  const errorType = span.attributes["error.type"];
  if (span.status.code === "ERROR") notes.push(`✗ ${String(errorType ?? "error")}: ${span.status.message}`);
  else if (errorType !== undefined) notes.push(`! refused: ${String(errorType)}`);
  return notes;
}

function serviceOf(span: ReceivedSpan): string {
  return String(span.resource["service.name"] ?? "?");
}

function startOf(trace: readonly ReceivedSpan[]): number {
  return Math.min(...trace.map((span) => span.startMs));
}

function byStart(a: ReceivedSpan, b: ReceivedSpan): number {
  return a.startMs - b.startMs || b.endMs - a.endMs;
}
