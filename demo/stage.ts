import { randomBytes } from "node:crypto";
import { startAgones } from "./agones.ts";
import { gameIs, startGame } from "./game.ts";
import { startLobby } from "./lobby.ts";
import type { Say } from "./narrator.ts";
import type { DemoOptions } from "./options.ts";
import type { Process } from "./processes.ts";
import { startProcess } from "./processes.ts";
import type { ReceiverReport } from "./receiver/main.ts";
import { connectServices, type ServicesClient } from "./services/client.ts";
import type { ServicesReport } from "./services/main.ts";

/** The processes of the story, up and running. */
export interface Stage {
  readonly game: Process;
  /** `ws://host:port` of the game server, for a player whom the matchmaker has no server for. */
  readonly url: string;
  /** `ws://host:port` of the lobby. */
  readonly lobbyUrl: string;
  /** The game has no `onAllocated`: the matchmaker tells it when to load the map. */
  readonly zeroCode: boolean;
  /** `http://host:port` of its /metrics, /readyz and so on; undefined when the game could not open them. */
  readonly admin: string | undefined;
  /** Login and matchmaker: the process, and how players reach it. */
  readonly backend: Process;
  readonly services: ServicesClient;
  /** Undefined when the user has an endpoint of their own. */
  readonly receiver: Process | undefined;
  readonly otlpEndpoint: string;
}

/** @param stack ends what was started, the last first: the game still has its receiver and its sidecar while it ends */
export async function startStage(
  stack: AsyncDisposableStack,
  { trust, zeroCode }: Pick<DemoOptions, "trust" | "zeroCode">,
  say: Say,
): Promise<Stage> {
  const [telemetry, agones] = await Promise.all([startReceiver(stack, say), startAgones(stack, say)]);
  const shared = {
    OTEL_EXPORTER_OTLP_ENDPOINT: telemetry.endpoint,
    ARENA_TICKET_SECRET: randomBytes(16).toString("hex"),
  };
  const {
    url: matchmaker,
    backend,
    services,
  } = await startServices(stack, { ...shared, AGONES_ALLOCATOR: agones.allocator }, say);
  const lobbyUrl = await startLobby(stack, { ...shared, ARENA_TRUST: trust, LOBBY_MATCHMAKER: matchmaker }, say);
  const env = { ...shared, AGONES_SDK_GRPC_PORT: String(agones.port) };
  const { game, port, admin } = await startGame(stack, { trust, zeroCode, env }, say);
  await agones.register(port);
  await gameIs("ready", { game, admin });
  say("game", "Ready, seen by Agones");
  return {
    game,
    url: `ws://127.0.0.1:${port}`,
    lobbyUrl,
    zeroCode,
    admin,
    backend,
    services,
    receiver: telemetry.process,
    otlpEndpoint: telemetry.endpoint,
  };
}

/** @throws Error when spans of the services could not be handed over, now or since the start */
export async function flushServices({ backend }: Pick<Stage, "backend">): Promise<void> {
  backend.tell({ type: "services:flush" });
  type Flushed = Extract<ServicesReport, { type: "services:flushed" }>;
  const { failure } = await backend.heard<Flushed>("services:flushed", 10_000);
  if (failure !== undefined) throw new Error(failure);
}

async function startServices(stack: AsyncDisposableStack, env: Readonly<Record<string, string | undefined>>, say: Say) {
  const backend = stack.use(startProcess({ file: "services/main.ts", name: "the login service", env }));
  type Ready = Extract<ServicesReport, { type: "services:listening" }>;
  const { url } = await backend.heard<Ready>("services:listening", 10_000);
  say("backend", `process ${backend.pid} is login service and matchmaker on ${url}`);
  return { url, backend, services: connectServices(url, backend.gone) };
}

async function startReceiver(stack: AsyncDisposableStack, say: Say) {
  const endpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint) {
    say("receiver", `none started: all export to ${endpoint} (OTEL_EXPORTER_OTLP_ENDPOINT)`);
    return { process: undefined, endpoint };
  }
  const receiver = stack.use(startProcess({ file: "receiver/main.ts", name: "the OTLP receiver" }));
  type Ready = Extract<ReceiverReport, { type: "receiver:listening" }>;
  const ready = await receiver.heard<Ready>("receiver:listening", 10_000);
  say("receiver", `process ${receiver.pid} takes OTLP/gRPC on ${ready.endpoint}`);
  return { process: receiver, endpoint: ready.endpoint };
}
