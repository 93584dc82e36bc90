import { createRequire } from "node:module";
import { afterEach, expect } from "vitest";
import type { AgonesSdk } from "colyseus-otel/agones";
import type { Sidecar } from "../standins/agones-sidecar.ts";

const open: Sdk[] = [];

afterEach(() => {
  for (const sdk of open.splice(0)) sdk.close();
});

export function connect(sidecar: Pick<Sidecar, "port">): Sdk {
  process.env["AGONES_SDK_GRPC_PORT"] = String(sidecar.port);
  const sdk = new AgonesSDK();
  delete process.env["AGONES_SDK_GRPC_PORT"];
  open.push(sdk);
  return sdk;
}

export async function watching(sidecar: Pick<Sidecar, "port">) {
  const sdk = connect(sidecar);
  await sdk.connect();
  const seen: GameServer[] = [];
  const states: string[] = [];
  const errors: unknown[] = [];
  sdk.watchGameServer(
    (server) => {
      seen.push(server);
      states.push(server.status.state);
    },
    (error) => errors.push(error),
  );
  await arrived(() => seen.length > 0);
  return { sdk, seen, states, errors, ended: () => sdk.streams.at(-1)?.readableEnded === true };
}

export function arrived(predicate: () => boolean): Promise<void> {
  return expect.poll(predicate, { interval: 5, timeout: 3_000 }).toBe(true);
}

export interface GameServer {
  readonly objectMeta: { name: string; annotationsMap: [string, string][]; labelsMap: [string, string][] };
  readonly status: { state: string };
}

/** What the SDK has, typed as tests read it; the plugin takes it as it is. */
export type Sdk = Typed & AgonesSdk;

interface Typed {
  readonly streams: readonly { readonly readableEnded: boolean }[];
  connect(): Promise<void>;
  close(): void;
  ready(): Promise<unknown>;
  allocate(): Promise<unknown>;
  shutdown(): Promise<unknown>;
  reserve(seconds: number): Promise<unknown>;
  health(): void;
  getGameServer(): Promise<GameServer>;
  setLabel(key: string, value: string): Promise<unknown>;
  setAnnotation(key: string, value: string): Promise<unknown>;
  watchGameServer(callback: (server: GameServer) => void, onError: (error: unknown) => void): void;
}

// The SDK's d.ts declares a default export that is not there at run time, so it cannot be imported with its types.
const AgonesSDK = createRequire(import.meta.url)("@google-cloud/agones-sdk") as new () => Sdk;
