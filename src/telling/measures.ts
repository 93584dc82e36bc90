import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES, METRICS, SPANS, type MetricConvention, type SpanConvention } from "../conventions.ts";
import { boundedLabel } from "./bounded-label.ts";
import type { Note, SessionEnded, Step } from "./step.ts";

/** A label's value; undefined where a series has none. */
export type Label = Attributes[string];

/**
 * Label values stand in the order of the metric's labels, undefined where a series has none: no object is made, and none
 * hashed, at every record.
 */
export type Record = (metric: MetricConvention, value: number, ...labels: readonly Label[]) => void;

type Measure = (step: Step, seconds: number, record: Record) => void;

/** More maps than any one server plays; the rest is `other`. */
const MAX_MAPS = 24;

/** More regions, and modes, than one matchmaker serves. With six failures and three starts: below the SDK's 2,000 series. */
const MAX_REGIONS = 12;
const MAX_MODES = 12;

/** More reasons than a game has; the rest is `other`. */
const MAX_REASONS = 32;

const MAX_VERSIONS = 4;
const PLATFORMS: ReadonlySet<string> = new Set(
  "windows macos linux android ios web playstation xbox switch".split(" "),
);
const LOCALES: ReadonlySet<string> = new Set(
  "ar cs da de en es fi fr hu id it ja ko nb nl no pl pt ro ru sv th tr uk vi zh".split(" "),
);

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
    [
      SPANS.mapLoad,
      (step, seconds, record) =>
        record(METRICS.mapLoadDuration, seconds, mapLabel(step.attributes[ATTRIBUTES.gameMap.key])),
    ],
  ]);
  return (step, record) => measures.get(step.span)?.(step, secondsOf(step), record);
}

/** What a note without a span says in metrics. */
export function createNoteMeasures(): (note: Note, record: Record) => void {
  const measureEnd = sessionEnds();
  return (note, record) => (note.note === "session.ended" ? measureEnd(note, record) : measureNote(note, record));
}

const ALLOCATION = {
  ready_to_allocated: METRICS.readyToAllocated,
  allocated_to_playable: METRICS.allocatedToPlayable,
  allocated_to_first_join: METRICS.allocatedToFirstJoin,
} as const;

function measureNote(note: Exclude<Note, SessionEnded>, record: Record): void {
  switch (note.note) {
    case "room.disposed":
      return record(METRICS.roomLifetime, note.seconds, note.room);
    case "connection.closed":
      return record(METRICS.clientDuration, note.seconds, note.room);
    case "seat":
      return record(METRICS.seatReservations, 1, note.room, note.outcome);
    case "drop":
      return record(METRICS.drops, 1, note.room, note.outcome);
    case "seat.held":
      return measureHeldSeat(note.room, note.outcome, note.gap, record);
    case "join.refused":
      return measureRefusal(note.room, note.kind, note.outcome, record);
    case "phase":
      return record(METRICS.phaseDuration, note.seconds, note.phase);
    case "boot.phase":
      return record(METRICS.bootDuration, note.seconds, note.phase, note.outcome);
    case "allocation":
      return record(ALLOCATION[note.span], note.seconds, note.start);
    case "trace_context":
      return record(METRICS.traceContext, 1, note.source, note.outcome);
    case "orchestrator.fault":
      return record(METRICS.orchestratorFaults, 1, note.kind);
  }
}

function measureHeldSeat(room: string, outcome: string, gap: number | undefined, record: Record): void {
  record(METRICS.reconnects, 1, room, outcome);
  if (gap !== undefined) {
    record(METRICS.reconnectGap, gap, room);
  }
}

function measureRefusal(room: string | undefined, kind: string, outcome: string, record: Record): void {
  record(METRICS.joins, 1, room, kind, outcome === "ipc_timeout" ? "error" : outcome);
  // A return asks for no seat: it has one.
  if (kind !== "reconnect") {
    record(METRICS.seatReservations, 1, room, outcome);
  }
}

function bootPhase(name: string): Measure {
  return (step, seconds, record) => {
    record(METRICS.bootDuration, seconds, name, step.failure ? "failed" : "success");
  };
}

function provision(): Measure {
  const [regionLabel, modeLabel] = [bounded(MAX_REGIONS), bounded(MAX_MODES)];
  return ({ attributes, result, failure }, seconds, record) => {
    const labels = [
      failure?.type ?? "success",
      regionLabel(attributes[ATTRIBUTES.region.key]),
      modeLabel(attributes[ATTRIBUTES.gameMode.key]),
      attributes[ATTRIBUTES.provider.key],
      result[ATTRIBUTES.gameserverStart.key],
    ];
    record(METRICS.provisionDuration, seconds, ...labels);
    record(METRICS.provisionOutcomes, 1, ...labels);
  };
}

function measureMatchmake({ target, failure }: Step, seconds: number, record: Record): void {
  record(METRICS.matchmakeDuration, seconds, target, failure?.type);
}

function measureJoin({ target, attributes, failure }: Step, seconds: number, record: Record): void {
  const wait = attributes[ATTRIBUTES.seatWait.key];
  if (typeof wait === "number") {
    record(METRICS.seatWait, wait, target);
  }
  record(METRICS.joinDuration, seconds, target, failure?.type);
  const kind = attributes[ATTRIBUTES.joinKind.key];
  record(METRICS.joins, 1, target, kind, joinOutcome(failure?.type));
  if (kind !== "reconnect") {
    record(METRICS.seatReservations, 1, target, "consumed");
  }
}

function joinOutcome(failure: string | undefined): string {
  if (failure === undefined) {
    return "accepted";
  }
  return failure === "auth_failed" ? "refused_auth" : "error";
}

function sessionEnds(): (ended: SessionEnded, record: Record) => void {
  const [reasonLabel, versionLabel] = [bounded(MAX_REASONS), bounded(MAX_VERSIONS)];
  return ({ seconds, matches, reason, type, locale, platform, version }, record) => {
    record(METRICS.sessionDuration, seconds, type, oneOf(PLATFORMS, platform), versionLabel(version));
    record(METRICS.sessionEnds, 1, reasonLabel(reason), oneOf(LOCALES, locale));
    if (matches !== undefined) {
      record(METRICS.sessionMatches, matches, type);
    }
  };
}

/** A label that players fill: theirs where it is known, or `other`. */
function oneOf(known: ReadonlySet<string>, value: string | undefined): string | undefined {
  const word = value?.toLowerCase();
  return word === undefined || known.has(word) ? word : "other";
}

/** A label of at most so many values; a series that has none has none. */
function bounded(max: number): (value: Label) => string | undefined {
  const label = boundedLabel(max);
  return (value) => (value === undefined ? undefined : label(value));
}

function secondsOf(step: Step): number {
  return Math.max(0, (step.end ?? step.start) - step.start) / 1000;
}
