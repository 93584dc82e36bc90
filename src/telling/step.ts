import { context, type Attributes, type Context, type Span, type SpanContext } from "@opentelemetry/api";
import type { SpanConvention } from "../conventions.ts";
import { now } from "../internal/clock.ts";
import { withSpan } from "../internal/linked-context.ts";

/** A link, and the carrier that brought its context where a carrier did. */
export interface StepLink {
  readonly context: SpanContext;
  readonly source?: string;
}

/** What happened at one moment of a step. `at` is epoch milliseconds. */
export interface StepEvent {
  readonly name: string;
  readonly at: number;
  readonly attributes: Attributes;
}

/** Why a step failed. Expected refusals (room full, bad ticket) are no fault that an operator should act on. */
export interface Failure {
  readonly type: string;
  readonly expected: boolean;
  readonly message?: string;
}

/**
 * One observed step: a plain record that hooks write and `telling/` makes spans and metrics of. Times are epoch
 * milliseconds with a fraction.
 */
export interface Step {
  readonly span: SpanConvention;
  readonly start: number;
  /** What the step belongs to: another step, or a context from outside. Without one it is a root. */
  readonly parent: Step | SpanContext | undefined;
  readonly links: readonly StepLink[];
  readonly events: readonly StepEvent[];
  /** Known at the start: samplers see them. */
  readonly attributes: Attributes;
  /** Known at the end. */
  readonly result: Attributes;
  /** Room type behind the name: `room.join arena`. */
  target: string | undefined;
  /** Set by the teller when the step is opened: the target that its name has. */
  openedFor: string | undefined;
  /** The kind is INTERNAL because an HTTP span is the server side already. */
  inner: boolean;
  end: number | undefined;
  failure: Failure | undefined;
  /** Set by the teller when the step is opened: its ids and flags. */
  spanContext: SpanContext | undefined;
  /** Among the open ones. */
  slot: number;
  /** Set by the teller when the step is opened: what the game finds as the active span inside its hook. */
  live: Span | undefined;
}

const NO_LINKS: readonly StepLink[] = [];
const NO_EVENTS: readonly StepEvent[] = [];

export type StepFields = Maybe<Pick<Step, "start" | "parent" | "links" | "events" | "attributes" | "target" | "inner">>;

type Maybe<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

/** `parent` where it is not among the fields. */
export function newStep(span: SpanConvention, fields: StepFields = {}, parent = fields.parent): Step {
  return {
    span,
    start: fields.start ?? now(),
    parent,
    links: fields.links ?? NO_LINKS,
    events: fields.events ?? NO_EVENTS,
    attributes: fields.attributes ?? {},
    result: {},
    target: fields.target,
    openedFor: undefined,
    inner: fields.inner ?? false,
    end: undefined,
    failure: undefined,
    spanContext: undefined,
    slot: -1,
    live: undefined,
  };
}

/** The active context, with the step's span in it where the step is open. */
export function contextOf({ live }: Step): Context {
  return live ? withSpan(context.active(), live) : context.active();
}

export function nameOf({ span, target }: Step): string {
  return target === undefined ? span.name : joinedName(span.name, target);
}

/** Room types are few: a name that is put together anew is hashed anew, 0.1 us nine times a join. */
const joined = new Map<string, Map<string, string>>();

function joinedName(name: string, target: string): string {
  let byTarget = joined.get(name);
  if (!byTarget) {
    joined.set(name, (byTarget = new Map()));
  }
  let whole = byTarget.get(target);
  if (whole === undefined) {
    byTarget.set(target, (whole = `${name} ${target}`));
  }
  return whole;
}

/** A session's end, as it is counted. */
export interface SessionEnded {
  readonly note: "session.ended";
  readonly seconds: number;
  readonly matches: number | undefined;
  readonly reason: string;
  readonly type: string;
  readonly locale: string | undefined;
  readonly platform: string | undefined;
  /** Absent where only the player says it: anybody could fill a label with names. */
  readonly version: string | undefined;
}

/** What an allocation took; each is a histogram. */
export type AllocationSpan = "ready_to_allocated" | "allocated_to_playable" | "allocated_to_first_join";

/** A thing that was observed and has no span. */
export type Note =
  | { readonly note: "room.disposed"; readonly room: string; readonly seconds: number }
  | { readonly note: "connection.closed"; readonly room: string; readonly seconds: number }
  | { readonly note: "seat"; readonly room: string; readonly outcome: string }
  | { readonly note: "drop"; readonly room: string; readonly outcome: string }
  | {
      readonly note: "seat.held";
      readonly room: string;
      readonly outcome: string;
      /** Seconds from the disconnect to the return. */
      readonly gap: number | undefined;
    }
  | {
      readonly note: "join.refused";
      readonly room: string | undefined;
      readonly kind: string;
      readonly outcome: string;
    }
  | SessionEnded
  | { readonly note: "phase"; readonly phase: string; readonly seconds: number }
  | { readonly note: "boot.phase"; readonly phase: string; readonly seconds: number; readonly outcome: string }
  | { readonly note: "allocation"; readonly span: AllocationSpan; readonly seconds: number; readonly start: string }
  | { readonly note: "trace_context"; readonly source: string; readonly outcome: string }
  | { readonly note: "orchestrator.fault"; readonly kind: string };

/** Makes spans of steps. There are two: live spans of any SDK, and records that ours encodes at once. */
export interface Lane {
  /** Gives the step its ids and flags, and its parent before it. */
  open(step: Step): void;
  /** The step is whole and has ended: tells it, whether it was opened or not. */
  close(step: Step): void;
}

/** The one place that opens and closes steps. Hooks know no Tracer and no Meter. */
export interface Teller {
  /** Whether anything listens. While nothing does, hooks only call through. */
  readonly active: boolean;
  /** Gives the step its ids and the span to hand out. Parents are opened before their children. */
  open(step: Step): void;
  /** Ends the step and tells it, whether it was opened or not. */
  close(step: Step, end?: number): void;
  note(note: Note): void;
}
