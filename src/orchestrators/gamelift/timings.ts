/** All in milliseconds. Those of the official Go SDK 5.6.0, where it has one; tests have shorter ones. */
export interface Timings {
  readonly call: number;
  readonly activateProcess: number;
  /** The last call, inside what a shutdown has for the orchestrator. */
  readonly terminate: number;
  readonly heartbeat: number;
  /** Either way: a fleet that starts at once must not beat at once. */
  readonly heartbeatJitter: number;
  /** How long the game may think about its health. */
  readonly health: number;
  /** A WebSocket's handshake. */
  readonly handshake: number;
  /** Between attempts, doubling up to the longest. */
  readonly firstPause: number;
  readonly longestPause: number;
  /** A connection that lived for less is no success: the next one waits longer. */
  readonly stable: number;
  /** How long a new endpoint is tried while the old one works. The service offers another one each minute. */
  readonly refresh: number;
  /** How long a connection that was replaced may still bring answers. */
  readonly flush: number;
  /** Between two tries of a call that the service could not take. */
  readonly retry: number;
  /** How long a player's seat waits to be accepted: what the service gives a reservation. */
  readonly playerSession: number;
}

export const TIMINGS: Timings = {
  call: 20_000,
  activateProcess: 6000,
  terminate: 2000,
  heartbeat: 60_000,
  heartbeatJitter: 10_000,
  health: 50_000,
  handshake: 10_000,
  firstPause: 500,
  longestPause: 32_000,
  stable: 10_000,
  refresh: 60_000,
  flush: 5000,
  retry: 1000,
  playerSession: 60_000,
};
