import { within, seconds } from "../../internal/deadline.ts";
import { overGrpc } from "./grpc.ts";
import type { GameServer, Sidecar, Way } from "./sidecar.ts";

/** What is used of the program's own SDK object: the official `@google-cloud/agones-sdk` has all of it. */
export interface AgonesSdk {
  connect(): Promise<unknown>;
  ready(): Promise<unknown>;
  shutdown(): Promise<unknown>;
  setAnnotation(key: string, value: string): Promise<unknown>;
  getGameServer(): Promise<GameServer>;
  health(onError: (error: unknown) => void): void;
  watchGameServer(onUpdate: (gameServer: GameServer) => void, onError: (error: unknown) => void): void;
}

export const SDK_METHODS = [
  "connect",
  "ready",
  "shutdown",
  "setAnnotation",
  "getGameServer",
  "health",
  "watchGameServer",
] as const satisfies (keyof AgonesSdk)[];

/** Fields of the official SDK that are no part of its types. */
interface Inside {
  readonly port?: string | number;
  healthStream?: { end?(): void } | undefined;
  readonly streams?: Stream[];
}

interface Stream {
  on?(event: "end", listener: () => void): void;
  cancel?(): void;
}

/** By the program's own SDK object, which stays the program's to close. */
export function overOwnSdk(sdk: AgonesSdk & Inside): Way {
  const port = sdk.port === undefined ? undefined : Number(sdk.port);
  return { ...overGrpc(), host: "localhost", port, open: () => Promise.resolve(createSidecar(sdk)) };
}

function createSidecar(sdk: AgonesSdk & Inside): Sidecar {
  // No call of the SDK has a deadline of its own: a hung sidecar would hang it.
  const timed = <T>(ms: number, call: Promise<T>) => within(ms, call, () => new Error(`no answer in ${seconds(ms)}`));
  return {
    connect: async (ms) => timed(ms, sdk.connect()),
    ready: async (ms) => timed(ms, sdk.ready()),
    shutdown: async (ms) => timed(ms, sdk.shutdown()),
    setAnnotation: async (key, value, ms) => timed(ms, sdk.setAnnotation(key, value)),
    getGameServer: async (ms) => timed(ms, sdk.getGameServer()),
    async ping(ms) {
      const { promise: refused, reject } = Promise.withResolvers<never>();
      refused.catch(() => {});
      sdk.health(reject);
      // The SDK goes on writing into the stream of a sidecar that has died, and nobody hears of it: a stream for each
      // ping. That it was taken, nothing of it says; the next call tells whether there is anybody.
      if (sdk.healthStream) {
        sdk.healthStream.end?.();
        sdk.healthStream = undefined;
      }
      await timed(ms, Promise.race([refused, sdk.getGameServer()]));
    },
    watch(onUpdate, onEnd) {
      let over = false;
      const end = (problem: unknown) => {
        if (!over) {
          over = true;
          onEnd(problem);
        }
      };
      const before = sdk.streams?.length ?? 0;
      sdk.watchGameServer((gameServer) => over || onUpdate(gameServer), end);
      const stream = sdk.streams?.[before];
      stream?.on?.("end", () => end("the sidecar ended it"));
      return () => {
        over = true;
        stream?.cancel?.();
        // The others are the program's.
        const index = stream ? (sdk.streams?.indexOf(stream) ?? -1) : -1;
        if (index >= 0) {
          sdk.streams?.splice(index, 1);
        }
      };
    },
    close() {},
  };
}
