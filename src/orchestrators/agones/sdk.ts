/** The calls to the sidecar that are used, in the shape of the official `@google-cloud/agones-sdk`. */
export interface AgonesSdk {
  connect(): Promise<void>;
  ready(): Promise<unknown>;
  shutdown(): Promise<unknown>;
  health(onError: (error: unknown) => void): void;
  getGameServer(): Promise<GameServer>;
  watchGameServer(onUpdate: (gameServer: GameServer) => void, onError: (error: unknown) => void): void;
  close(): void;
}

/** A GameServer as the official SDK gives it: maps are arrays of pairs, unset parts are absent. */
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

/** Where the sidecar listens: in the pod, so its host is fixed. */
export function sidecarAddress(env: NodeJS.ProcessEnv = process.env): { host: string; port: number } {
  return { host: "localhost", port: Number(env["AGONES_SDK_GRPC_PORT"] || 9357) };
}
