import { setTimeout as wait } from "node:timers/promises";
import { seconds } from "../../internal/deadline.ts";
import { describe, guard } from "../../internal/report.ts";
import { createCalls, type CallOptions } from "./calls.ts";
import { addressOf, endpointOf, type Endpoint } from "./endpoint.ts";
import type { ServerIdentity } from "./environment.ts";
import type { TellFault } from "./faults.ts";
import { readFrame, type Fields, type PushAction } from "./frames.ts";
import { openSocket, type Socket } from "./socket.ts";
import type { Timings } from "./timings.ts";

/** As the official SDK: what looks open may be dead. */
const SILENT_CALLS = 2;

export interface Connected {
  readonly attempts: number;
  /** The compute, as the service was told. */
  readonly hostId: string;
}

/** The way to the service, whichever socket it goes over at the moment. */
export interface Connection {
  /** Resolves with the first connection. @throws Error, in one line, when there is none after `deadline` milliseconds */
  connect(deadline: number): Promise<Connected>;
  call(action: string, fields: Fields, options: CallOptions): Promise<Fields>;
  /** Goes over to another endpoint: the socket of before is kept until the new one is there and its own answers are in. */
  refresh(url: string, token: string): void;
  close(): void;
}

export interface ConnectionEvents {
  readonly tell: TellFault;
  push(action: PushAction, fields: Fields): void;
  /** Why there is no connection now; undefined when there is one again. */
  trouble(reason: string | undefined): void;
}

export function createConnection(
  server: ServerIdentity,
  { tell, push, trouble }: ConnectionEvents,
  timings: Timings,
): Connection {
  const first = Promise.withResolvers<Connected>();
  const ending = new AbortController();
  /** Sockets that were replaced, and how they end. */
  const retired = new Map<Socket, () => void>();
  let endpoint = endpointOf(server.webSocketUrl, server.authorization);
  let next: { readonly endpoint: Endpoint; readonly until: number } | undefined;
  let current: { readonly socket: Socket; readonly since: number } | undefined;
  let dialing = false;
  let attempts = 0;
  let pause = 0;
  let silent = 0;
  let lastProblem = "no attempt was made";

  const calls = createCalls(tell, (socket) => {
    silent += socket === current?.socket ? 1 : 0;
    if (silent >= SILENT_CALLS) {
      current?.socket.terminate();
    }
  });

  /** One loop at a time. */
  async function dial(): Promise<void> {
    if (dialing) {
      return;
    }
    dialing = true;
    while (!ending.signal.aborted && (next || !current)) {
      // Which of the two is there nobody knows once both are gone: in turns.
      const to = next && (current || attempts % 2 === 0) ? next.endpoint : endpoint;
      try {
        if (pause > 0) {
          // Half of it is chance: a fleet that was cut at once must not come back at once.
          await wait(pause * (0.5 + Math.random() / 2), undefined, { ref: false, signal: ending.signal });
        }
        attempts += 1;
        await open(to);
      } catch (error) {
        failed(error);
      }
    }
    dialing = false;
  }

  async function open(to: Endpoint): Promise<void> {
    const { url, hostId } = await addressOf(to, server);
    const socket: Socket = await openSocket(url, timings.handshake, {
      message: (text) => guard("gamelift", () => receive(socket, text)),
      closed: (reason) => guard("gamelift", () => closed(socket, reason)),
    });
    if (ending.signal.aborted) {
      return socket.terminate();
    }
    const before = current?.socket;
    current = { socket, since: performance.now() };
    silent = 0;
    endpoint = to;
    next = next?.endpoint === to ? undefined : next;
    calls.use(socket);
    if (before) {
      retire(before);
    } else {
      trouble(undefined);
    }
    first.resolve({ attempts, hostId });
  }

  function failed(error: unknown): void {
    if (ending.signal.aborted) {
      return;
    }
    pause = longer(pause);
    lastProblem = error instanceof Error ? error.message : describe(error);
    tell("unreachable", lastProblem);
    if (next && current && performance.now() > next.until) {
      next = undefined;
    }
  }

  function retire(socket: Socket): void {
    const timer = setTimeout(leave, timings.flush).unref();
    function leave(): void {
      clearTimeout(timer);
      retired.delete(socket);
      socket.close();
    }
    retired.set(socket, leave);
    leaveIfAnswered(socket);
  }

  function leaveIfAnswered(socket: Socket): void {
    if (calls.owedBy(socket) === 0) {
      retired.get(socket)?.();
    }
  }

  function receive(socket: Socket, text: string | undefined): void {
    silent = 0;
    const frame = readFrame(text ?? "", calls.isWaiting);
    if (frame.is === "answer") {
      calls.answered(frame);
      leaveIfAnswered(socket);
    } else if (frame.is === "push") {
      push(frame.action, frame.fields);
    } else {
      tell(frame.fault, frame.about);
    }
  }

  function closed(socket: Socket, reason: string): void {
    retired.delete(socket);
    if (current?.socket === socket) {
      pause = performance.now() - current.since < timings.stable ? longer(pause) : timings.firstPause;
      current = undefined;
      if (!ending.signal.aborted) {
        tell("cut", reason);
        trouble(`no connection to GameLift: ${reason}`);
        void dial();
      }
    }
    calls.lost(socket);
  }

  function longer(pause: number): number {
    return Math.min(Math.max(pause * 2, timings.firstPause), timings.longestPause);
  }

  function close(): void {
    ending.abort();
    calls.close();
    current?.socket.close();
    for (const socket of retired.keys()) {
      socket.close();
    }
  }

  return {
    call: calls.call,
    close,
    async connect(deadline) {
      const timer = setTimeout(() => {
        const { host } = new URL(server.webSocketUrl);
        const tried = `${attempts} connection attempts in ${seconds(deadline)}, last: ${lastProblem}`;
        first.reject(new Error(`no GameLift at ${host}: ${tried}. ${HINT}`));
        close();
      }, deadline).unref();
      void dial();
      return first.promise.finally(() => clearTimeout(timer));
    },
    refresh(url, token) {
      const to = endpointOf(url, { by: "token", token });
      next = { endpoint: to, until: performance.now() + timings.refresh };
      void dial();
    },
  };
}

const HINT = "Is the token still valid (GAMELIFT_SDK_AUTH_TOKEN), and the process id another one for each start?";
