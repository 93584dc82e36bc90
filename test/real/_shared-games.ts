import { Client, type Room } from "@colyseus/sdk";
import type { SessionCarrier } from "colyseus-otel/backend";
import { freePort } from "../../demo/free-port.ts";
import { layNetwork, type Network } from "../../demo/network.ts";
import { startReceiver, type ReceivedSpan, type Receiver } from "../../demo/receiver/receiver.ts";
import { startAppOf, type App } from "../_app.ts";
import { until } from "../_server.ts";
import { playedTree } from "./_received.ts";
import { playWith } from "./_program.ts";
import { startRedis, type Redis } from "./_redis.ts";

type Name = "a" | "b" | "c";

/** What test/apps/shared-game.ts is told. */
export interface SharedGameOptions {
  /** Redis' port. */
  readonly redis: number;
  readonly port: number;
  /** Where players' sockets go, `host:port`. */
  readonly publicAddress: string;
  /** Types of rooms that this process makes for all. */
  readonly homeOf: readonly string[];
  /** Milliseconds. */
  readonly linger: number;
}

interface SharedGame {
  readonly app: App;
  /** A player who asks here. */
  readonly client: Client;
  /** Between players and the rooms of this process. */
  readonly network: Network;
  /** Counts of a metric on its own /metrics, by labels. */
  counts(metric: string): Promise<readonly (readonly [labels: string, count: number])[]>;
}

export interface SharedGames {
  readonly redis: Redis;
  readonly games: Readonly<Record<Name, SharedGame>>;
  named(name: string): ReceivedSpan[];
  /** Waits until so many spans of these names are there, and no span without its parent. */
  told(counts: Readonly<Record<string, number>>): Promise<void>;
  /** The traces of all players, or the one. */
  played(traceId?: string): string;
  /** Sums of a counter over the processes that are alive. */
  counted(metric: string): Promise<Record<string, number>>;
}

/** How long a process waits for another one's answer, in milliseconds. Colyseus has 2000. */
const IPC_TIMEOUT = 1000;
const LINGER = 300;
const PATIENCE = 20_000;

/**
 * Plays with game servers that share a real Redis and export over OTLP; `homes`: who makes which rooms. Fails at once when
 * Redis is gone before its time.
 */
export async function withSharedGames(
  homes: Partial<Record<Name, readonly string[]>>,
  play: (shared: SharedGames) => Promise<void>,
): Promise<void> {
  await using redis = await startRedis();
  await using receiver = await startReceiver();
  await using started = new AsyncDisposableStack();
  await playWith(redis.gone, async () => {
    const games = Object.entries(homes).map(
      async ([name, homeOf]) => [name, await startGame(name, homeOf, redis, receiver, started)] as const,
    );
    await play(viewOf(redis, receiver, Object.fromEntries(await Promise.all(games)) as Record<Name, SharedGame>));
  });
}

async function startGame(
  name: string,
  homeOf: readonly string[],
  { port: redis }: Redis,
  { endpoint }: Receiver,
  started: AsyncDisposableStack,
): Promise<SharedGame> {
  const port = await freePort();
  const network = await layNetwork(`ws://127.0.0.1:${port}`);
  started.defer(() => network.cut());
  const options: SharedGameOptions = {
    redis,
    port,
    publicAddress: new URL(network.url).host,
    homeOf,
    linger: LINGER,
  };
  const app = startAppOf("shared-game.ts", options, {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_SERVICE_NAME: name,
    COLYSEUS_PRESENCE_SHORT_TIMEOUT: String(IPC_TIMEOUT),
  });
  started.use(app);
  const { endpoints } = await app.message("app:ready", PATIENCE);
  return {
    app,
    network,
    client: new Client(`http://127.0.0.1:${port}`),
    counts: async (metric) => {
      const text = await (await fetch(`http://127.0.0.1:${endpoints!.port}/metrics`)).text();
      const points = Array.from(text.matchAll(/^(\w+)\{(.*)\} (\d+)$/gm), ([, of, labels, count]) => ({
        of,
        labels,
        count,
      }));
      return points.filter(({ of }) => of === metric).map(({ labels, count }) => [labels!, Number(count)] as const);
    },
  };
}

function viewOf(redis: Redis, receiver: Receiver, games: Record<Name, SharedGame>): SharedGames {
  const named = (name: string) => receiver.spans.filter((span) => span.name === name);
  return {
    redis,
    games,
    named,
    async told(counts) {
      const missing = () => Object.entries(counts).some(([name, count]) => named(name).length < count);
      const there = () => !missing() && orphans(receiver).length === 0;
      await until(`${JSON.stringify(counts)} among\n${playedTree(receiver.spans)}`, there, PATIENCE);
    },
    played: (traceId) => playedTree(receiver.spans.filter((span) => (traceId ?? span.traceId) === span.traceId)),
    async counted(metric) {
      const alive = Object.values(games).filter(({ app: { child } }) => child.signalCode === null);
      const sums: Record<string, number> = {};
      for (const [labels, count] of (await Promise.all(alive.map(async (game) => game.counts(metric)))).flat()) {
        sums[labels] = (sums[labels] ?? 0) + count;
      }
      return sums;
    },
  };
}

function orphans({ spans }: Receiver): readonly ReceivedSpan[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentSpanId }) => parentSpanId !== undefined && !ids.has(parentSpanId));
}

/** As the game sends it to its client. */
export async function carrierOf(room: Room): Promise<SessionCarrier> {
  const sent = new Promise<SessionCarrier>((resolve) => void room.onMessage("carrier", resolve));
  room.send("carrier");
  return sent;
}
