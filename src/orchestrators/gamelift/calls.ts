import { randomUUID } from "node:crypto";
import type { TellFault } from "./faults.ts";
import type { Fields, Frame } from "./frames.ts";
import { GameLiftError } from "./game-lift-error.ts";
import type { Socket } from "./socket.ts";

/** More players than a game session can have (1,024), each coming and going at once. */
const MAX_WAITING = 4096;

export interface CallOptions {
  /** Milliseconds, from the call on: also while there is no connection. */
  readonly timeout: number;
  /** The service may do it twice; else a call whose answer was cut off fails. @default true */
  readonly repeatable?: boolean;
}

/** Requests and their answers, over one socket after the other. */
export interface Calls {
  call(action: string, fields: Fields, options: CallOptions): Promise<Fields>;
  isWaiting(requestId: string): boolean;
  answered(frame: Extract<Frame, { is: "answer" }>): void;
  /** What waits for a socket goes over this one from now on. */
  use(socket: Socket): void;
  /** The socket is gone: what was sent over it is sent again over the present one, or fails. */
  lost(socket: Socket): void;
  /** How many answers this socket still owes. */
  owedBy(socket: Socket): number;
  close(): void;
}

interface Waiting {
  readonly requestId: string;
  readonly action: string;
  readonly text: string;
  readonly repeatable: boolean;
  readonly resolve: (answer: Fields) => void;
  readonly reject: (error: GameLiftError) => void;
  readonly timer: NodeJS.Timeout;
  /** Where it was sent. */
  over: Socket | undefined;
}

/** @param late a call that was sent over this socket was not answered in time */
export function createCalls(tell: TellFault, late: (socket: Socket) => void): Calls {
  const waiting = new Map<string, Waiting>();
  let current: Socket | undefined;
  let closed = false;

  function send(call: Waiting): void {
    call.over = current;
    current?.send(call.text);
  }

  function settle(call: Waiting): void {
    waiting.delete(call.requestId);
    clearTimeout(call.timer);
  }

  function expire(call: Waiting, timeout: number): void {
    settle(call);
    tell("timeout", call.action);
    call.reject(new GameLiftError("timeout", call.action, `GameLift did not answer in ${timeout} ms`));
    if (call.over) {
      late(call.over);
    }
  }

  return {
    isWaiting: (requestId) => waiting.has(requestId),
    owedBy: (socket) => [...waiting.values()].filter(({ over }) => over === socket).length,
    call: (action, fields, { timeout, repeatable = true }) =>
      new Promise((resolve, reject) => {
        if (closed) {
          return reject(new GameLiftError("closed", action, "there is no connection to GameLift, and will be none"));
        }
        if (waiting.size >= MAX_WAITING) {
          return reject(new GameLiftError("busy", action, `${MAX_WAITING} calls wait for GameLift already`));
        }
        const requestId = randomUUID();
        const text = JSON.stringify({ ...fields, Action: action, RequestId: requestId });
        const timer = setTimeout(() => expire(call, timeout), timeout).unref();
        const call: Waiting = { requestId, action, text, repeatable, resolve, reject, timer, over: undefined };
        waiting.set(requestId, call);
        send(call);
      }),
    answered({ requestId, status, fields }) {
      const call = waiting.get(requestId);
      if (!call) {
        return;
      }
      settle(call);
      if (status === 200) {
        return call.resolve(fields);
      }
      const failure = status >= 400 && status < 500 ? "refused" : "service_error";
      const message = typeof fields["ErrorMessage"] === "string" ? fields["ErrorMessage"].slice(0, 200) : "";
      tell(failure, `${call.action}: ${status} ${message}`.trim());
      call.reject(new GameLiftError(failure, call.action, `status ${status} ${message}`.trim(), status));
    },
    use(socket) {
      current = socket;
      for (const call of waiting.values()) {
        if (!call.over) {
          send(call);
        }
      }
    },
    lost(socket) {
      current = current === socket ? undefined : current;
      for (const call of waiting.values()) {
        if (call.over === socket && call.repeatable) {
          send(call);
        } else if (call.over === socket) {
          settle(call);
          call.reject(new GameLiftError("cut", call.action, "the connection was cut before the answer came"));
        }
      }
    },
    close() {
      closed = true;
      for (const call of waiting.values()) {
        settle(call);
        call.reject(new GameLiftError("closed", call.action, "the connection to GameLift was closed"));
      }
    },
  };
}
