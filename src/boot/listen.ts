import type { Server, Transport } from "@colyseus/core";
import type { EventEmitter } from "node:events";
import { ERROR_TYPES, SPANS } from "../conventions.ts";
import { shadow, undoAll, type Undo } from "../internal/patch.ts";
import { describe, guard } from "../internal/report.ts";
import type { Failure, Step } from "../telling/step.ts";
import type { Boot } from "./boot.ts";

export interface ListenObserver {
  readonly boot: Boot;
  onListening(): void;
  /** Resolves when the failed boot has been exported, or its deadline is over. */
  onFailed(failure: Failure, error: unknown): Promise<void>;
}

/**
 * `server.listen`, and the transport's inside it: what comes before the bind is preparation. A failing listen() rejects
 * with its own error, once the boot that failed has been exported: the process may end right after it.
 */
export function traceListen(server: Server, observer: ListenObserver): Undo {
  const undos: Undo[] = [];
  const phase = phases(observer.boot);
  let running = 0;

  const fail = (error: unknown) => {
    const failure = { type: ERROR_TYPES.listenFailed, expected: false, message: describe(error) };
    phase.end(failure);
    return observer.onFailed(failure, error);
  };

  undos.push(
    shadow(
      server,
      "listen",
      (listen) =>
        function tracedListen(this: Server, ...args: unknown[]) {
          // Colyseus Cloud listens twice, the second time inside the first.
          if (observer.boot.over || running > 0) {
            return listen.apply(this, args);
          }
          running += 1;
          guard("listen", () => phase.begin(SPANS.bootPrepare));
          void transportOf(this).then((transport) =>
            guard("listen", () => undos.push(traceBind(transport, phase, fail))),
          );
          return (listen.apply(this, args) as Promise<unknown>).then(
            (value) => {
              running -= 1;
              guard("listen", () => {
                phase.end();
                observer.onListening();
              });
              return value;
            },
            async (error: unknown) => {
              running -= 1;
              await fail(error);
              throw error;
            },
          );
        },
    ),
  );
  return () => undoAll(undos);
}

/** ws reports a port in use as an event on its HTTP server, and Colyseus' listen() then never settles. */
function traceBind(transport: Transport, phase: Phases, fail: (error: unknown) => unknown): Undo {
  return shadow(
    transport,
    "listen",
    (listen) =>
      function tracedBind(this: Transport, ...args: unknown[]) {
        guard("listen", () => {
          phase.begin(SPANS.bootListen);
          const server = this.server as EventEmitter | undefined;
          server?.once("error", fail);
          server?.once("listening", () => server.off("error", fail));
        });
        return listen.apply(this, args);
      },
  );
}

interface Phases {
  begin(span: Step["span"]): void;
  end(failure?: Failure): void;
}

/** One phase after the other: beginning one ends the one before. */
function phases(boot: Boot): Phases {
  let open: Step | undefined;
  const end = (failure?: Failure) => {
    if (open) {
      boot.end(open, failure);
    }
    open = undefined;
  };
  return {
    begin(span) {
      end();
      open = boot.begin(span);
    },
    end,
  };
}

/** The default transport is imported while the server is constructed; this promise is core's own. */
function transportOf(server: Server): Promise<Transport> {
  const { _onTransportReady } = server as unknown as { _onTransportReady: PromiseLike<Transport> };
  return Promise.resolve(_onTransportReady);
}
