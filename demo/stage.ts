import { randomBytes } from "node:crypto";
import { gameIs, startGame } from "./game.ts";
import { startLobby } from "./lobby.ts";
import type { Say } from "./narrator.ts";
import type { DemoOptions } from "./options.ts";
import type { Orchestration } from "./orchestration.ts";
import { START } from "./orchestrators.ts";
import type { Process } from "./processes.ts";
import { startProcess } from "./processes.ts";
import type { ReceiverReport } from "./receiver/main.ts";
import { connectServices, type ServicesClient } from "./services/client.ts";
import type { ServicesReport } from "./services/main.ts";

/** The processes that are there before the game server is. */
export interface Backstage {
  readonly options: DemoOptions;
  readonly orchestration: Orchestration;
  /** Login and matchmaker: the process, and how players reach it. */
  readonly backend: Process;
  readonly services: ServicesClient;
  /** `http://host:port` of both. */
  readonly backendUrl: string;
  /** Undefined when the user has an endpoint of their own. */
  readonly receiver: Process | undefined;
  readonly otlpEndpoint: string;
  /** Of every server of the game. */
  readonly env: Readonly<Record<string, string>>;
}

/** With the game server: up and Ready. */
export interface Stage extends Backstage {
  readonly game: Process;
  /** `ws://host:port` of the game server, for a player whom the matchmaker has no server for. */
  readonly url: string;
  /** `http://host:port` of its /metrics, /readyz and so on; undefined when the game could not open them. */
  readonly admin: string | undefined;
}

export interface StageWithLobby extends Stage {
  /** `ws://host:port` */
  readonly lobbyUrl: string;
}

/** @param stack ends what was started, the last first: the game still has its receiver and its sidecar while it ends */
export async function startBackstage(stack: AsyncDisposableStack, options: DemoOptions, say: Say): Promise<Backstage> {
  const [telemetry, orchestration] = await Promise.all([
    startReceiver(stack, say),
    START[options.orchestrator](stack, say),
  ]);
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: telemetry.endpoint,
    ARENA_TICKET_SECRET: randomBytes(16).toString("hex"),
    ARENA_REUSE: options.reused ? "1" : "0",
  };
  // The shell that runs the demo may know another one.
  const own = { AGONES_ALLOCATOR: undefined, GAMELIFT_ENDPOINT: undefined, ...orchestration.allocator?.env };
  const services = await startServices(stack, { ...env, ...own }, say);
  return { options, orchestration, ...services, receiver: telemetry.process, otlpEndpoint: telemetry.endpoint, env };
}

export async function raiseGame(stack: AsyncDisposableStack, backstage: Backstage, say: Say): Promise<Stage> {
  const { options, orchestration } = backstage;
  const env = { ...backstage.env, ...orchestration.env };
  const { game, port, admin } = await startGame(stack, { ...options, env }, say);
  await orchestration.register(port);
  // A server that an earlier run has left allocated is ready too.
  await gameIs(["ready", "allocated"], { game, admin });
  say("game", "is ready for players");
  return { ...backstage, game, url: `ws://127.0.0.1:${port}`, admin };
}

/** Resolves with its `ws://host:port`. */
export async function raiseLobby(
  stack: AsyncDisposableStack,
  { options, env, backendUrl }: Backstage,
  say: Say,
): Promise<string> {
  return startLobby(stack, { ...env, ARENA_TRUST: options.trust, LOBBY_MATCHMAKER: backendUrl }, say);
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
  return { backendUrl: url, backend, services: connectServices(url, backend.gone) };
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
