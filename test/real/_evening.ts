import { randomUUID } from "node:crypto";
import { Client } from "@colyseus/sdk";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { agones, allocate, startSession, type Provider } from "colyseus-otel/backend";
import { withTraceContext } from "colyseus-otel/client";
import { startTelemetry } from "colyseus-otel/sdk";
import { freePort } from "../../demo/free-port.ts";
import { layNetwork } from "../../demo/network.ts";
import { startReceiver } from "../../demo/receiver/receiver.ts";
import { connectPlayer, type Player } from "../../example-server/player.ts";
import { mintTicket } from "../../example-server/tickets.ts";
import { startSidecar, type Sidecar } from "../../standins/agones-sidecar.ts";
import { startAllocationService, type AllocationService } from "../../standins/allocation-service.ts";
import { startGameLift, type GameLiftSocket } from "../../standins/gamelift-socket.ts";
import { startAppOf, type App } from "../_app.ts";
import { failureOf } from "../_provisioning.ts";
import { until } from "../_server.ts";

/** What test/apps/arena.ts is told. */
export interface ArenaOptions {
  readonly orchestrator: "agones" | "gamelift";
  /** Milliseconds. */
  readonly deadline: number;
  readonly linger: number;
}

/** Game servers and a matchmaker, as an operator has them. */
export interface Evening extends AsyncDisposable {
  /** Ports of `/metrics`, by job. */
  readonly jobs: Readonly<Record<string, readonly number[]>>;
  /** Of the server that players are on. */
  readonly sidecar: Sidecar;
  /** Players and matches once through all that can happen to them. */
  play(): Promise<void>;
}

const PATIENCE = 20_000;
const LINGER = 200;
/** A seat, for whoever comes or comes back: long for a machine that is busy, short for a test. */
const HELD_SECONDS = "5";

export async function startEvening(): Promise<Evening> {
  await using stack = new AsyncDisposableStack();
  process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = stack.use(await startReceiver()).endpoint;
  const allocator = stack.use(await startAllocationService());
  const sidecar = stack.use(await startSidecar({ name: "arena-cold" }));
  const service = stack.use(await startGameLift());
  const start = (options: Partial<ArenaOptions>, env: NodeJS.ProcessEnv) =>
    stack.use(
      startAppOf(
        "arena.ts",
        { orchestrator: "agones", deadline: PATIENCE, linger: LINGER, ...options },
        { ARENA_RETURN_SECONDS: HELD_SECONDS, COLYSEUS_SEAT_RESERVATION_TIME: HELD_SECONDS, ...env },
      ),
    );
  const matchmaker = await startMatchmaker(stack, allocator);
  const cold = start({}, { AGONES_SDK_GRPC_PORT: String(sidecar.port) });
  const fleet = start({ orchestrator: "gamelift" }, environmentOf(service));
  const broken = start({ deadline: 500 }, { AGONES_SDK_GRPC_PORT: String(await freePort()) });
  // Asked before the server is Ready.
  const game = await coldStart(matchmaker.provider, allocator, sidecar, cold);
  const admin = async (app: App) => (await app.message("app:ready", PATIENCE)).endpoints!.port;
  const jobs = {
    arena: [await admin(cold), await admin(fleet), await admin(broken)],
    matchmaker: [matchmaker.port],
  };
  const started = stack.move();
  return {
    jobs,
    sidecar,
    async play() {
      service.createGameSession();
      service.send("this is no JSON");
      await Promise.all([provision(matchmaker.provider, allocator), playAll(game)]);
      await provision(matchmaker.provider, allocator);
      // Held seats keep a room, which the next players would be sent to.
      const metrics = `http://127.0.0.1:${jobs.arena[0]}/metrics`;
      await until(
        "the end of the rooms",
        async () => /^colyseus_rooms\{room="arena"\} 0$/m.test(await textOf(metrics)),
        PATIENCE,
      );
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** This process, as docs and deploy/README.md have it. */
async function startMatchmaker(stack: AsyncDisposableStack, { endpoint }: AllocationService) {
  const port = await freePort();
  const exporter = new PrometheusExporter({ host: "127.0.0.1", port, withoutScopeInfo: true });
  stack.use(startTelemetry({ load: "now", metricReaders: [exporter] }));
  return { port, provider: stack.use(agones({ endpoint, fleet: "arena" })) };
}

function environmentOf({ url }: GameLiftSocket): NodeJS.ProcessEnv {
  return {
    GAMELIFT_SDK_WEBSOCKET_URL: url,
    GAMELIFT_SDK_AUTH_TOKEN: "token-1",
    GAMELIFT_SDK_PROCESS_ID: "process-1",
    GAMELIFT_SDK_HOST_ID: "host-1",
    GAMELIFT_SDK_FLEET_ID: "fleet-1",
  };
}

const match = { region: "eu-west", mode: "free_for_all" };

/** @returns `http://host:port` of the server that was allocated */
async function coldStart(provider: Provider, allocator: AllocationService, sidecar: Sidecar, app: App) {
  allocator.register(sidecar, { port: 7000 });
  const [{ port }] = await Promise.all([
    app.message("app:ready", PATIENCE),
    allocate({ provider, ...match, deadline: PATIENCE }),
  ]);
  return `http://127.0.0.1:${port}`;
}

/** A server that stood ready, and none in another region. */
async function provision(provider: Provider, allocator: AllocationService): Promise<void> {
  await using warm = await startSidecar({ name: `arena-${randomUUID()}`, state: "Ready" });
  allocator.register(warm, { port: 7001 });
  await allocate({ provider, ...match, deadline: PATIENCE });
  await failureOf(allocate({ provider, region: "us-east", mode: "duel", deadline: 300 }));
}

/** In one room of four: ann stays, bob drops and returns, cyd drops for good, dan sends what no client of ours would. */
async function playAll(url: string): Promise<void> {
  const [bobs, cyds] = [await layNetwork(url), await layNetwork(url)];
  const ann = await enter(url, "ann");
  const room = ann.room.roomId;
  const bob = await enter(bobs.url, "bob", room);
  const cyd = await enter(cyds.url, "cyd", room);
  const dan = await enter(url, "dan", room);
  await refuseAll(url, room);
  const back = new Promise<void>((resolve) => bob.room.onReconnect.once(() => resolve()));
  const over = [back, gone(cyd), gone(dan)];
  bobs.interrupt();
  cyds.cut();
  dan.room.send("move", "backwards");
  await Promise.all([ann.play({ seconds: 1 }), ...over]);
  await Promise.all([ann.leave(), bob.leave()]);
  bobs.cut();
}

async function enter(url: string, playerId: string, room?: string): Promise<Player> {
  const session = startSession({ playerId, authMethod: "password", clientVersion: "1.4.2", platform: "linux" });
  const options = { ...withTraceContext({}, session.carrier) };
  const headers = { "accept-language": "de" };
  const player = await connectPlayer({ url, ticket: ticketOf(playerId), options, headers, ...(room && { room }) });
  // The SDK comes back by itself, but not to a room that it has been in for less than five seconds.
  player.room.reconnection.minUptime = 0;
  player.room.reconnection.maxRetries = 3;
  return player;
}

/** A full room, a forged ticket, a context that is none, a hook that throws, and a seat that nobody takes. */
async function refuseAll(url: string, room: string): Promise<void> {
  const traceparent = "00-not-a-trace-01";
  const refused = [
    connectPlayer({ url, ticket: ticketOf("fay"), room }),
    connectPlayer({ url, ticket: "forged", options: { traceparent } }),
    new Client(url).joinOrCreate("buggy"),
  ];
  const outcomes = await Promise.allSettled(refused);
  const entered = outcomes.filter(({ status }) => status === "fulfilled");
  if (entered.length > 0) {
    throw new Error(`${entered.length} players were let in who should not have been`);
  }
  const headers = { "content-type": "application/json", authorization: `Bearer ${ticketOf("gus")}` };
  await fetch(`${url}/matchmake/create/arena`, { method: "POST", headers, body: "{}" });
}

function ticketOf(playerId: string): string {
  return mintTicket({ playerId, expires: Date.now() + 60_000 });
}

function gone({ room }: Player): Promise<void> {
  return new Promise((resolve) => room.onLeave.once(() => resolve()));
}

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}
