export { startTelemetry, type StartedTelemetry } from "./sdk/start.ts";
export type { StartTelemetryOptions } from "./sdk/options.ts";
