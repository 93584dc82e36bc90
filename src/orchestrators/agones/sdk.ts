/**
 * The part of `@google-cloud/agones-sdk` that is used. By shape: the package's own types do not fit its run time (its
 * `default` is not constructable, `health` and `watchGameServer` demand arguments that are optional).
 */
export interface AgonesSdk {
  connect(): Promise<void>;
  ready(): Promise<unknown>;
  shutdown(): Promise<unknown>;
  /** Always with a callback: without one a write error is thrown out of a stream, where nobody can catch it. */
  health(onError: (error: unknown) => void): void;
  getGameServer(): Promise<GameServer>;
  /** Always with an error callback: without one a lost sidecar ends the process. */
  watchGameServer(onUpdate: (gameServer: GameServer) => void, onError: (error: unknown) => void): void;
  close(): void;
  /** Its open watches. */
  readonly streams?: readonly { cancel?(): void }[];
}

/** A GameServer as the SDK's `toObject()` gives it: maps are arrays of pairs, unset parts are absent. */
export interface GameServer {
  readonly objectMeta?: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly annotationsMap: readonly (readonly [string, string])[];
    readonly labelsMap: readonly (readonly [string, string])[];
  };
  readonly status?: {
    readonly state: string;
    readonly address: string;
    readonly portsList: readonly { readonly name: string; readonly port: number }[];
  };
}

/** Loads the SDK only now: it costs 73 ms of import, beside the server's own boot. */
export async function loadAgonesSdk(): Promise<AgonesSdk> {
  let module: unknown;
  try {
    module = await import("@google-cloud/agones-sdk");
  } catch (error) {
    throw new Error("agones() needs the package @google-cloud/agones-sdk: npm install @google-cloud/agones-sdk", {
      cause: error,
    });
  }
  const { default: Sdk } = module as { default: new () => AgonesSdk };
  return new Sdk();
}

/**
 * Closes the SDK and its watches. Its own close() destroys their streams, which in grpc-js does not end the calls: the
 * connection stays open and keeps the process alive.
 */
export function closeAgonesSdk(sdk: AgonesSdk): void {
  for (const stream of sdk.streams ?? []) {
    stream.cancel?.();
  }
  sdk.close();
}

/** Where the SDK will look for the sidecar: its host is fixed. */
export function sidecarAddress(env: NodeJS.ProcessEnv = process.env): { host: string; port: number } {
  return { host: "localhost", port: Number(env["AGONES_SDK_GRPC_PORT"] || 9357) };
}
