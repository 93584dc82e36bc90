export { allocate } from "./backend/allocate.ts";
export { AllocationError, type AllocationOutcome } from "./backend/allocation-error.ts";
export { agones } from "./backend/agones/agones.ts";
export { flexMatchAttributes, gameLiftPlayerData } from "./backend/gamelift/carriers.ts";
export { gamelift } from "./backend/gamelift/gamelift.ts";
export { startSession, type BackendSession } from "./backend/session.ts";

// Types of the options and of what comes back
export type { AllocateOptions } from "./backend/options.ts";
export type { TraceCarrier } from "./backend/place.ts";
export type { AllocatedServer, Provider, ServerPort, Wanted } from "./backend/provider.ts";
export type { StartSessionOptions } from "./backend/session-options.ts";
export type { BackendPhase, BackendPhaseName, BackendPhaseResult } from "./backend/session-phases.ts";
export type { SharedSecrets } from "./propagation/secrets.ts";
export type { SessionCarrier, Signing } from "./propagation/session-carrier.ts";
export type { SessionEnd } from "./propagation/session-token.ts";
export type { AgonesProviderOptions, AgonesTls, GameServerSelector, KubeConfigLike } from "./backend/agones/options.ts";
export type { GameLiftSender } from "./backend/gamelift/api.ts";
export type { FlexMatchAttributes } from "./backend/gamelift/carriers.ts";
export type { GameLiftPoll, GameLiftProviderOptions } from "./backend/gamelift/options.ts";
