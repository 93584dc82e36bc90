import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES, LABELS, METRICS, SPANS, type MetricConvention, type SpanConvention } from "../conventions.ts";
import { boundedLabel } from "./bounded-label.ts";
import type { Note, Step } from "./step.ts";

export type Record = (metric: MetricConvention, value: number, labels: Attributes) => void;
type Measure = (step: Step, seconds: number, record: Record) => void;

/** More maps than any one server plays; the rest is `other`. */
const MAX_MAPS = 24;

/** More regions, and modes, than one matchmaker serves. With six outcomes they stay below the SDK's 2,000 series. */
const MAX_REGIONS = 12;
const MAX_MODES = 12;

/** What each kind of step says in metrics, sampled or not. */
export function createMeasures(): (step: Step, record: Record) => void {
  const mapLabel = boundedLabel(MAX_MAPS);
  const measures = new Map<SpanConvention, Measure>([
    [SPANS.boot, bootPhase("total")],
    [SPANS.bootLoad, bootPhase("load")],
    [SPANS.bootPrepare, bootPhase("prepare")],
    [SPANS.bootListen, bootPhase("listen")],
    [SPANS.allocateServer, provision()],
    [SPANS.matchmake, measureMatchmake],
    [SPANS.roomJoin, measureJoin],
    [SPANS.sessionLifecycle, measureSession],
    [SPANS.phaseInGame, phase("in_game")],
    [SPANS.phaseMatchmaking, phase("matchmaking")],
    [
      SPANS.mapLoad,
      (step, seconds, record) => {
        record(METRICS.mapLoadDuration, seconds, { [LABELS.map]: mapLabel(step.attributes[ATTRIBUTES.gameMap.key]) });
      },
    ],
  ]);
  return (step, record) => measures.get(step.span)?.(step, secondsOf(step), record);
}

/** What a note without a span says in metrics. */
export function measureNote(note: Note, record: Record): void {
  switch (note.note) {
    case "room.disposed":
      return record(METRICS.roomLifetime, note.seconds, { [LABELS.room]: note.room });
    case "connection.closed":
      return record(METRICS.clientDuration, note.seconds, { [LABELS.room]: note.room });
    case "join.refused":
      return record(METRICS.joins, 1, { ...room(note.room), [LABELS.kind]: note.kind, [LABELS.outcome]: note.outcome });
    case "boot.phase":
      return record(METRICS.bootDuration, note.seconds, { [LABELS.phase]: note.phase, [LABELS.outcome]: note.outcome });
    case "trace_context":
      return record(METRICS.traceContext, 1, { [LABELS.source]: note.source, [LABELS.outcome]: note.outcome });
  }
}

function bootPhase(name: string): Measure {
  return (step, seconds, record) => {
    record(METRICS.bootDuration, seconds, {
      [LABELS.phase]: name,
      [LABELS.outcome]: step.failure ? "failed" : "success",
    });
  };
}

function phase(name: string): Measure {
  return (_step, seconds, record) => record(METRICS.phaseDuration, seconds, { [LABELS.phase]: name });
}

function provision(): Measure {
  const [regionLabel, modeLabel] = [boundedLabel(MAX_REGIONS), boundedLabel(MAX_MODES)];
  return ({ attributes, failure }, seconds, record) => {
    const region = attributes[ATTRIBUTES.region.key];
    const mode = attributes[ATTRIBUTES.gameMode.key];
    const labels = {
      [LABELS.outcome]: failure?.type ?? "success",
      [LABELS.provider]: attributes[ATTRIBUTES.provider.key],
      ...(region !== undefined && { [LABELS.region]: regionLabel(region) }),
      ...(mode !== undefined && { [LABELS.mode]: modeLabel(mode) }),
    };
    record(METRICS.provisionDuration, seconds, labels);
    record(METRICS.provisionOutcomes, 1, labels);
  };
}

function measureMatchmake(step: Step, seconds: number, record: Record): void {
  record(METRICS.matchmakeDuration, seconds, roomAndError(step));
}

function measureJoin(step: Step, seconds: number, record: Record): void {
  const wait = step.attributes[ATTRIBUTES.seatWait.key];
  if (typeof wait === "number") {
    record(METRICS.seatWait, wait, room(step.target));
  }
  record(METRICS.joinDuration, seconds, roomAndError(step));
  const labels = room(step.target);
  labels[LABELS.kind] = step.attributes[ATTRIBUTES.joinKind.key];
  labels[LABELS.outcome] = joinOutcome(step.failure?.type);
  record(METRICS.joins, 1, labels);
}

function joinOutcome(failure: string | undefined): string {
  if (failure === undefined) {
    return "accepted";
  }
  return failure === "auth_failed" ? "refused_auth" : "error";
}

function measureSession(step: Step, seconds: number, record: Record): void {
  record(METRICS.sessionDuration, seconds, { [LABELS.endType]: step.attributes[ATTRIBUTES.endType.key] });
  record(METRICS.sessionEnds, 1, { [LABELS.endReason]: step.attributes[ATTRIBUTES.endReason.key] });
}

/** Built without spreads: these run ten times a join. */
function room(name: string | undefined): Attributes {
  return name === undefined ? {} : { [LABELS.room]: name };
}

function roomAndError({ target, failure }: Step): Attributes {
  const labels = room(target);
  if (failure) {
    labels[LABELS.errorType] = failure.type;
  }
  return labels;
}

function secondsOf(step: Step): number {
  return Math.max(0, (step.end ?? step.start) - step.start) / 1000;
}
