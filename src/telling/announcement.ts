import type { Attributes } from "@opentelemetry/api";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Metering } from "./instruments.ts";
import type { Lane } from "./step.ts";

/** What `startTelemetry()` offers to `instrument()`. They meet on a global symbol, so the core never imports the SDK. */
export interface AnnouncedTelemetry {
  /** Loads the SDK packages and replays what was held back. `urgent`: the process may end soon. Idempotent. */
  load(urgent: boolean): Promise<void>;
  /** Sends what is queued. Resolves at the deadline (milliseconds) at the latest, and never rejects. */
  flush(deadline: number): Promise<void>;
  /** The fast lane of steps; none where the program's own span processors have to see live spans. */
  readonly lane: Lane | undefined;
  /** Where our metrics are counted, from the first moment on. Every reader collects them. */
  readonly metering: Metering;
  /** Adds to the resource; only what is known before load() counts. */
  describeResource(attributes: Attributes): void;
  /** Answers a Prometheus scrape, once the SDK is loaded. */
  readonly scrape: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
}

const KEY = Symbol.for("colyseus-otel.telemetry");
const slot = globalThis as { [KEY]?: AnnouncedTelemetry | undefined };

export function announcedTelemetry(): AnnouncedTelemetry | undefined {
  return slot[KEY];
}

export function announceTelemetry(telemetry: AnnouncedTelemetry | undefined): void {
  slot[KEY] = telemetry;
}
