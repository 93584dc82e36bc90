import type { SidecarHost } from "./sidecar-host.ts";
import type { Listening } from "./sidecar-service.ts";

/** What can be done to it; all of it counts for both transports. */
export interface SidecarFaults {
  /**
   * From now on connections and requests are accepted, and nothing is read, counted or answered until
   * `resume` or a new start. A check of health goes on.
   */
  hang(): void;
  /** Serves what was held, but for what was given up meanwhile. */
  resume(): void;
  /** How many requests, pings and messages are held. */
  held(): number;
  /** Every answer and every message of a watch is late by so many milliseconds; 0 ends it. */
  slow(milliseconds: number): void;
  /** Gives up all connections, those of gRPC with a GOAWAY, and goes on listening. */
  goaway(): void;
  /** Every watch ends without an error. */
  endWatches(): void;
  /** Every watch ends with UNAVAILABLE. */
  breakWatches(): void;
  /** The next updates are sent to no watch. The first message of a watch is none. */
  loseMessages(updates: number): void;
  /** Every message of a watch is sent twice. */
  repeatMessages(on: boolean): void;
  /** Runs between the first message of the next watch and its subscription: what `run` changes is not sent to it. */
  raceSubscribe(run: () => void): void;
}

export function faultsOf({ traffic, watchers }: SidecarHost, transports: () => readonly Listening[]): SidecarFaults {
  return {
    hang: traffic.hang,
    resume: traffic.resume,
    held: traffic.held,
    slow: traffic.slow,
    goaway: () => {
      for (const transport of transports()) transport.goaway();
    },
    endWatches: watchers.endAll,
    breakWatches: watchers.failAll,
    loseMessages: watchers.lose,
    repeatMessages: watchers.repeat,
    raceSubscribe: watchers.race,
  };
}
