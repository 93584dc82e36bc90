export { instrument, type Telemetry } from "./instrument.ts";
export type { InstrumentOptions } from "./options.ts";
export type { SessionOptions } from "./session-options.ts";
export { bootPhase, mapLoad } from "./boot/parts.ts";
export { sessionOf, type PlayerPhase, type PlayerSession, type SessionCarrier } from "./sessions/player-session.ts";

// For orchestrators of your own
export type { Allocation, Orchestrator, OrchestratorEvents } from "./orchestrators/orchestrator.ts";

// Types of the options
export type { Endpoints } from "./endpoints/admin.ts";
export type { GamePhase } from "./sessions/steps.ts";
export type { EndReasonOf } from "./sessions/end-reason.ts";
export type { SharedSecrets } from "./propagation/secrets.ts";
export type { Trust } from "./propagation/trust.ts";
