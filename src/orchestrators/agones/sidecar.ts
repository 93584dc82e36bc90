/** A way to the sidecar. Each call settles within its milliseconds; what it rejects with is for operators to read. */
export interface Sidecar {
  connect(ms: number): Promise<unknown>;
  ready(ms: number): Promise<unknown>;
  shutdown(ms: number): Promise<unknown>;
  /** Agones puts `agones.dev/sdk-` before the key. */
  setAnnotation(key: string, value: string, ms: number): Promise<unknown>;
  getGameServer(ms: number): Promise<GameServer>;
  /** One health ping. Resolves when the sidecar has taken it. */
  ping(ms: number): Promise<unknown>;
  /** Follows the GameServer, from its current state on, until it is stopped or `onEnd` says that it broke. */
  watch(onUpdate: (gameServer: GameServer) => void, onEnd: (problem: unknown) => void): () => void;
  close(): void;
}

/** Where a way leads, and how to take it. */
export interface Way {
  readonly host: string;
  /** Undefined where the program's own SDK alone knows it. */
  readonly port: number | undefined;
  readonly protocol: "gRPC" | "HTTP";
  /** The environment variable that names the port. */
  readonly variable: string;
  /** Loads what it needs. Connects nothing. */
  open(): Promise<Sidecar>;
}

/** A GameServer as the official SDK gives it: maps are arrays of pairs, unset parts are absent. */
export interface GameServer {
  readonly objectMeta?: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly annotationsMap: readonly (readonly [string, string])[];
    readonly labelsMap: readonly (readonly [string, string])[];
  };
  readonly spec?: {
    readonly health?: {
      readonly disabled: boolean;
      readonly periodSeconds: number;
      readonly failureThreshold: number;
      readonly initialDelaySeconds: number;
    };
  };
  readonly status?: {
    readonly state: string;
    readonly address: string;
    readonly portsList: readonly { readonly name: string; readonly port: number }[];
  };
}

/** In the pod, unless the variable that most of Agones' own SDKs know says otherwise. */
export function sidecarHost(env: NodeJS.ProcessEnv = process.env): string {
  return env["AGONES_SDK_GRPC_HOST"] || "localhost";
}

/** CANCELLED, DEADLINE_EXCEEDED and UNAVAILABLE: nobody has answered. */
const AWAY: readonly unknown[] = [1, 4, 14];

/** The sidecar itself has said no: asking again changes nothing. */
export function isRefusal(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "number" && !AWAY.includes(code);
}

/** For messages: `at localhost:9357 (gRPC)`. */
export function addressOf({ host, port, protocol }: Way): string {
  return port === undefined ? "behind agones.sdk" : `at ${host}:${port} (${protocol})`;
}
