import { setTimeout as wait } from "node:timers/promises";
import { startProcess, type Process } from "../demo/processes.ts";
import { poll } from "../demo/waiting.ts";
import type { BarSpec, Measured, Round } from "./bar.ts";
import { roundLine } from "./bar.ts";
import { play } from "./players.ts";
import { appEnvironment, appFile, here, type AppName, type Stage } from "./stage.ts";
import { shuffled } from "./statistics.ts";

const SPEC: BarSpec = { name: "join", what: "server CPU per join + leave", unit: "us", target: 1.05 };
const JOINS = 400;
const CONCURRENCY = 8;
/** V8 goes on optimizing for some thousand joins. */
const WARM_UP_BLOCKS = 8;
/** Longer than the second between two exports: a block pays for its own spans. */
const SETTLE_MS = 1500;
/** Two processes of the same server can differ by more than we cost, so the servers are new after so many rounds. */
const ROUNDS_PER_SERVER = 4;
const JOIN_SPAN = "room.join arena";

interface Running {
  readonly process: Process;
  readonly url: string;
}

type Servers = Readonly<Record<"ours" | "bare" | "again", Running>>;

/** CPU of the server process (all its threads) per join and leave, in blocks on servers that live long. */
export async function measureJoin(stage: Stage, rounds: number, say: (line: string) => void): Promise<Measured> {
  const measured: Round[] = [];
  while (measured.length < rounds) {
    await using stack = new AsyncDisposableStack();
    const servers = await startServers(stage, stack, say);
    for (let left = ROUNDS_PER_SERVER; left > 0 && measured.length < rounds; left -= 1) {
      const round = await measureRound(stage, servers);
      measured.push(round);
      say(`join ${measured.length}/${rounds}: ${roundLine(SPEC.unit, round)}`);
    }
  }
  return { spec: SPEC, rounds: measured };
}

async function startServers(stage: Stage, stack: AsyncDisposableStack, say: (line: string) => void): Promise<Servers> {
  const servers = {
    ours: await startServer(stage, stack, "ours"),
    bare: await startServer(stage, stack, "bare"),
    again: await startServer(stage, stack, "bare"),
  };
  say(`join: warming up three servers with ${WARM_UP_BLOCKS * JOINS} joins each`);
  for (let block = 0; block < WARM_UP_BLOCKS; block += 1) {
    for (const { url } of shuffled(Object.values(servers))) {
      await play(url, JOINS, CONCURRENCY);
    }
  }
  await wait(SETTLE_MS);
  return servers;
}

async function startServer(stage: Stage, stack: AsyncDisposableStack, app: AppName): Promise<Running> {
  const env = await appEnvironment(stage);
  const server = startProcess({
    file: appFile(app),
    name: `the app "${app}"`,
    env: { ...env, NODE_OPTIONS: `--import=${here("apps/meter.mjs")}` },
  });
  stack.use(server);
  await stage.sidecar.ready();
  return { process: server, url: `http://127.0.0.1:${env["PORT"]}` };
}

async function measureRound(stage: Stage, servers: Servers): Promise<Round> {
  const took = { ours: 0, bare: 0, again: 0 };
  for (const key of shuffled(["ours", "bare", "again"] as const)) {
    const told = key === "ours" ? await joinSpans(stage) : 0;
    took[key] = await measureBlock(servers[key]);
    if (key === "ours") {
      await checkExport(stage, told + JOINS);
    }
  }
  return { ours: took.ours, bare: [took.bare, took.again] };
}

/** Microseconds a join. */
async function measureBlock({ process: server, url }: Running): Promise<number> {
  const before = await cpuMicros(server);
  await play(url, JOINS, CONCURRENCY);
  await wait(SETTLE_MS);
  return ((await cpuMicros(server)) - before) / JOINS;
}

async function cpuMicros(server: Process): Promise<number> {
  server.tell({ type: "meter:read" });
  const { micros } = await server.heard<{ readonly type: "meter:cpu"; readonly micros: number }>("meter:cpu", 5000);
  return micros;
}

/** A block counts for nothing unless each of its joins is at the receiver. */
async function checkExport(stage: Stage, expected: number): Promise<void> {
  const arrived = async () => ((await joinSpans(stage)) >= expected ? true : undefined);
  await poll(`${expected} spans "${JOIN_SPAN}" at the receiver`, arrived, { timeout: 3000 });
}

async function joinSpans({ receiver }: Stage): Promise<number> {
  return (await receiver.counts())[JOIN_SPAN] ?? 0;
}
