/** Why a call came to nothing. */
export type GameLiftFailure =
  /** The service said no: `status` is 4xx. */
  | "refused"
  /** The service failed: `status` is 5xx. */
  | "service_error"
  | "timeout"
  /** The connection was cut, and this call must not be sent twice. */
  | "cut"
  /** Too many calls wait. */
  | "busy"
  /** This server has told GameLift that it is done, or never was connected. */
  | "closed";

export class GameLiftError extends Error {
  override readonly name = "GameLiftError";
  readonly failure: GameLiftFailure;
  readonly action: string;
  /** As the service gave it. */
  readonly status: number | undefined;

  constructor(failure: GameLiftFailure, action: string, message: string, status?: number) {
    super(`${action}: ${message}`);
    this.failure = failure;
    this.action = action;
    this.status = status;
  }
}

/** Another try may come out better. */
export function isTransient(error: unknown): boolean {
  return error instanceof GameLiftError && error.failure !== "refused" && error.failure !== "closed";
}
