import { ErrorCode, ServerError } from "@colyseus/core";
import { ERROR_TYPES } from "../conventions.ts";
import { describe } from "../internal/report.ts";
import type { Failure } from "../telling/step.ts";
import type { Journey } from "./journey.ts";

const BY_CODE = new Map<number, string>([
  [ErrorCode.MATCHMAKE_NO_HANDLER, ERROR_TYPES.noHandler],
  [ErrorCode.MATCHMAKE_INVALID_CRITERIA, ERROR_TYPES.noRoom],
  [ErrorCode.MATCHMAKE_INVALID_ROOM_ID, ERROR_TYPES.invalidRoom],
  [ErrorCode.MATCHMAKE_EXPIRED, ERROR_TYPES.expired],
  [ErrorCode.AUTH_FAILED, ERROR_TYPES.authFailed],
]);

/** A request that got no seat. Core wraps every error, so what refused it was noted on the way. */
export function matchmakeFailure(error: unknown, journey: Journey): Failure {
  if (journey.refusal === "ipc_timeout") {
    return fault(ERROR_TYPES.ipcTimeout, error);
  }
  const type = journey.refusal ?? BY_CODE.get(codeOf(error));
  return type === undefined ? fault(ERROR_TYPES.unhandled, error) : refusal(type, error);
}

/** A join that was not confirmed. */
export function joinFailure(error: unknown, authFailed: boolean): Failure {
  if (authFailed) {
    return refusal(ERROR_TYPES.authFailed, error);
  }
  // Core's own word for a player who went away while onJoin ran.
  if (error instanceof ServerError && error.message === "early_leave") {
    return refusal(ERROR_TYPES.clientLeft, error);
  }
  // Core's word for a socket that is closed when onReconnect is done: by the game, or by the player.
  if (error instanceof Error && error.message === "reconnection denied") {
    return refusal(ERROR_TYPES.refused, error);
  }
  const type = BY_CODE.get(codeOf(error));
  return type === undefined ? hookFailure(error) : refusal(type, error);
}

/** What a game's hook threw: a ServerError is its way to refuse, anything else is a fault. */
export function hookFailure(error: unknown): Failure {
  return error instanceof ServerError ? refusal(ERROR_TYPES.refused, error) : fault(ERROR_TYPES.hookError, error);
}

/** What an onAuth threw. */
export function authFailure(error: unknown): Failure {
  return error instanceof ServerError ? refusal(ERROR_TYPES.authFailed, error) : fault(ERROR_TYPES.authError, error);
}

export const AUTH_REFUSED: Failure = { type: ERROR_TYPES.authFailed, expected: true };

export const INTERRUPTED: Failure = { type: ERROR_TYPES.interrupted, expected: true };

function refusal(type: string, error: unknown): Failure {
  return { type, expected: true, message: describe(error) };
}

function fault(type: string, error: unknown): Failure {
  return { type, expected: false, message: describe(error) };
}

function codeOf(error: unknown): number {
  return error instanceof Error && "code" in error && typeof error.code === "number" ? error.code : 0;
}
