import type { Attributes, SpanContext } from "@opentelemetry/api";
import type { SpanConvention } from "../conventions.ts";
import type { PlayerSeats } from "../internal/player-seats.ts";
import type { Failure, Step } from "../telling/step.ts";

/** Who decides when this server may take players. Nothing else in the code asks which one it is. */
export interface Orchestrator {
  readonly name: string;
  /** Begins to connect, while the server boots. Called once; must not throw. */
  connect(events: OrchestratorEvents): void;
  /**
   * Called once, when the port is bound: asks for Ready and resolves when the orchestrator shows it, or a later state.
   * Rejects with the one reason, in one line for operators, inside a deadline of its own.
   *
   * @param port the bound one; 0 where the transport does not say
   */
  ready(port: number): Promise<void>;
  /** The server is done. Called once, at the graceful shutdown. */
  shutdown(): Promise<void>;
  /** Stops pinging and watching. */
  close(): void;
  /** Where the orchestrator has seats of its own for players. Absent, nobody asks for players. */
  readonly players?: PlayerSeats | undefined;
}

/** What an orchestrator tells about itself. */
export interface OrchestratorEvents {
  begin(span: SpanConvention, attributes?: Attributes): Step;
  end(step: Step, failure?: Failure): void;
  /** The boot's W3C traceparent, for whoever asked for this server; undefined while no SDK is there. */
  traceparent(): string | undefined;
  /** Resource attributes of this server: name, fleet. */
  identified(attributes: Attributes): void;
  /** Returns the W3C traceparent of the allocation, likewise. */
  allocated(allocation: Allocation): string | undefined;
  /** The match is over, and the server can be allocated again. */
  released(): void;
  /** Why nobody can be sent here now, in one line for operators; undefined when that is over. */
  trouble(reason: string | undefined): void;
  /** A step of later than the boot, which is over already. */
  told(step: LaterStep): void;
  /** A message or a call that was no good, of a small set. */
  fault(kind: string): void;
  /** The orchestrator wants the server to end: what follows is a graceful shutdown. */
  drain(): void;
}

/** Annotations, properties: `traceparent` and `tracestate` may be among them. */
export type Carrier = Readonly<Record<string, string>>;

export interface LaterStep {
  readonly span: SpanConvention;
  /** Epoch milliseconds. */
  readonly start: number;
  readonly parent: SpanContext | undefined;
  readonly attributes: Attributes;
  readonly failure: Failure | undefined;
  /** May hold the context that the step is linked to, and what that is: a label. */
  readonly linked?: { readonly source: string; readonly carrier: Carrier };
}

/** The server was handed to a match. */
export interface Allocation {
  /** Epoch milliseconds, by the allocator's clock. */
  readonly at: number;
  /** It was over, or followed by another one, when it was seen. */
  readonly past: boolean;
  /** The server had been allocated before. */
  readonly reused: boolean;
  /** Since when the server was Ready for it, in epoch milliseconds; undefined where that was not seen. */
  readonly readyAt: number | undefined;
  /** May hold the trace context of whoever asked, and since when they wait. */
  readonly annotations: Carrier;
  /** What was there before: what stands in both is an earlier allocation's. */
  readonly staleAnnotations: Carrier;
  /** Where these come from: a label. @default "annotation" */
  readonly source?: string;
  /** Each may hold the context of a player for whom the server was asked: links, as there are many. */
  readonly players?: readonly Carrier[];
  readonly attributes: Attributes;
  /** The game's own preparation, where it has one: the server is playable when it is done. */
  readonly prepare: (() => unknown) | undefined;
}
