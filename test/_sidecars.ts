import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgonesOptions } from "colyseus-otel/agones";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { allocation, changed, newGameServer } from "../standins/game-server.ts";
import type { Allocation, GameServerChange, GameServerOptions, GameServerState } from "../standins/game-server.ts";
import { connect } from "./_official-sdk.ts";
import { call } from "./_sidecar-http.ts";
import { until } from "./_server.ts";

export const WAYS = ["grpc", "http", "sdk"] as const;

export type Way = (typeof WAYS)[number];

interface Ports {
  readonly port: number;
  readonly httpPort: number;
}

/** Options of agones() by which it comes to this sidecar. */
export function over(way: Way, sidecar: Ports): AgonesOptions {
  const options = way === "sdk" ? { sdk: connect(sidecar) } : { transport: way };
  process.env["AGONES_SDK_GRPC_PORT"] = String(sidecar.port);
  process.env["AGONES_SDK_HTTP_PORT"] = String(sidecar.httpPort);
  return options;
}

/** What the stand-in and the real sdk-server have in common. */
export interface AnySidecar extends Ports, AsyncDisposable {
  allocate(allocation?: Allocation): void;
  setState(state: GameServerState): void;
  /** As the sidecar itself says. */
  state(): Promise<string>;
  annotations(): Promise<Readonly<Record<string, string>>>;
  /** How many health pings have arrived. */
  pings(): number;
  kill(): Promise<void>;
  /** Comes back on the same ports. */
  start(): Promise<void>;
}

/** Kinds of sidecar, by the words in which a test's name says it. */
export const SIDECARS: Readonly<Record<string, (options?: GameServerOptions) => Promise<AnySidecar>>> = {
  "the stand-in": standIn,
  ...(process.env["AGONES_SDK_SERVER"] && {
    "sdk-server": (options) => sdkServer(process.env["AGONES_SDK_SERVER"]!, options, true),
    "sdk-server without last-allocated": (options) => sdkServer(process.env["AGONES_SDK_SERVER"]!, options, false),
  }),
};

async function standIn(options?: GameServerOptions): Promise<AnySidecar> {
  const sidecar = await startSidecar({ ...options, readyDelay: 0 });
  return {
    port: sidecar.port,
    httpPort: sidecar.httpPort,
    allocate: (wanted) => void sidecar.allocate(wanted),
    setState: (state) => sidecar.setState(state),
    state: async () => sidecar.state(),
    annotations: async () => sidecar.gameServer().annotations,
    pings: () => sidecar.calls.health ?? 0,
    kill: async () => sidecar.stop(),
    start: () => sidecar.start(),
    [Symbol.asyncDispose]: () => sidecar.close(),
  };
}

/** In local mode the file is the API server: what is written into it, the sidecar shows. */
async function sdkServer(path: string, options: GameServerOptions = {}, stamped: boolean): Promise<AnySidecar> {
  const folder = mkdtempSync(join(tmpdir(), "sdk-server-"));
  const file = join(folder, "game-server.json");
  const ports = { port: await freePort(), httpPort: await freePort() };
  let gameServer = newGameServer(options);
  let pings = 0;

  // In place: a rename is not seen.
  const write = (change: GameServerChange) => {
    gameServer = changed(gameServer, change);
    writeFileSync(file, JSON.stringify(resourceOf(gameServer)));
  };

  async function run() {
    const wanted = ["--grpc-port", String(ports.port), "--http-port", String(ports.httpPort)];
    const child = spawn(path, ["--local", "-f", file, ...wanted], { stdio: ["ignore", "pipe", "pipe"] });
    const exited = once(child, "exit");
    const hear = (chunk: Buffer) => (pings += String(chunk).split("Health Ping Received!").length - 1);
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    await until(
      "sdk-server",
      async () => (await call(ports, "GET", "/gameserver").catch(() => ({ status: 0 }))).status === 200,
    );
    return async () => {
      child.kill("SIGKILL");
      await exited;
    };
  }

  const look = async () =>
    (await call(ports, "GET", "/gameserver")).body as {
      readonly status: { readonly state: string };
      readonly object_meta: { readonly annotations: Record<string, string> };
    };
  write({});
  let kill = await run();
  return {
    ...ports,
    allocate(wanted) {
      const change = allocation(wanted);
      write(stamped ? change : { ...change, annotations: { ...wanted?.annotations } });
    },
    setState: (state) => write({ state }),
    state: async () => (await look()).status.state,
    annotations: async () => (await look()).object_meta.annotations,
    pings: () => pings,
    kill: () => kill(),
    async start() {
      kill = await run();
    },
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(folder, { recursive: true });
    },
  };
}

function resourceOf({ health, state, resourceVersion, createdAt, ...metadata }: ReturnType<typeof newGameServer>) {
  return {
    apiVersion: "agones.dev/v1",
    kind: "GameServer",
    metadata: {
      ...metadata,
      namespace: "default",
      resourceVersion: String(resourceVersion),
      creationTimestamp: new Date(createdAt).toISOString(),
    },
    spec: { health },
    status: { state, address: "127.0.0.1", ports: [{ name: "default", port: 7777 }] },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
