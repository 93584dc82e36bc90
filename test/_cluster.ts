import type { LocalPresence, matchMaker, Room, Server, ServerOptions } from "@colyseus/core";
import { Client } from "@colyseus/sdk";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { InstrumentOptions, Telemetry } from "colyseus-otel";
import type { AddressInfo } from "node:net";
import { loadCopy, type Copy, type Core } from "./_copies.ts";
import type { MatchmakeAnswer } from "./_server.ts";
import { recordTelemetry, spanTree, type RecordingTelemetry } from "./_telemetry.ts";
import { line, type ProcessName, type Wire } from "./_wire.ts";

type RoomClass = new () => Room;

/** Makes the room class of one process: each has a `Room` of its own. */
export type DefineRoom = (core: Core, process: ProcessName) => RoomClass;

export interface ClusterOptions extends InstrumentOptions {
  /** The process that runs without the plugin. */
  readonly plain?: ProcessName;
  /** Both processes hold the very same LocalPresence object. @default false: a line of its own each */
  readonly onePresence?: boolean;
  /** Where a room is made. @default in B */
  readonly selectProcess?: (roomName: string, options: unknown) => ProcessName;
}

export interface ClusterProcess {
  readonly core: Core;
  readonly sessionOf: Copy["sessionOf"];
  readonly matchMaker: typeof matchMaker;
  readonly server: Server;
  readonly presence: LocalPresence;
  /** None in the plain process. */
  readonly telemetry: Telemetry | undefined;
  readonly recorded: RecordingTelemetry;
  readonly url: string;
  /** A player who asks here, and whose socket goes to the process of the room. */
  client(): Client;
  /** A matchmaking request without a client behind it: nobody claims the seat. */
  request(method: string, room: string, options?: unknown): Promise<MatchmakeAnswer>;
}

export interface Cluster extends AsyncDisposable {
  readonly a: ClusterProcess;
  readonly b: ClusterProcess;
  readonly wire: Wire;
  /** The tree of what players did in both, each span with its process; `traceId`: what is in this trace. */
  played(traceId?: string): string;
  /** Sums of a metric's counts over both. */
  counted(metric: string): Promise<Record<string, number>>;
}

/** How long a process waits for another one's answer, in milliseconds. Colyseus has 2000. */
const IPC_TIMEOUT = 500;

let copies: Promise<Record<ProcessName, Copy>> | undefined;

/** Two Colyseus processes in one of Node's, which share a LocalPresence and a LocalDriver. */
export async function startCluster(
  rooms: Record<string, DefineRoom>,
  { plain, onePresence = false, selectProcess = () => "b", ...options }: ClusterOptions = {},
): Promise<Cluster> {
  const loaded = await (copies ??= loadCopies());
  const hub = new loaded.a.core.LocalPresence();
  const driver = new loaded.a.core.LocalDriver();
  const wire: Wire = { said: [], swallowed: new Set() };
  const running = new Map<ProcessName, ClusterProcess>();
  const start = async (name: ProcessName) => {
    const presence = onePresence ? hub : line(hub, name, wire);
    const selectProcessIdToCreateRoom: matchMaker.SelectProcessIdCallback = async (...asked) =>
      Promise.resolve(running.get(selectProcess(...asked))!.matchMaker.processId);
    const server = serverOf(name, loaded[name], rooms, { presence, driver, selectProcessIdToCreateRoom });
    const instrumented = name === plain ? undefined : { endpoints: false as const, session: { linger: 0 }, ...options };
    const started = await startProcess(loaded[name], server, presence, instrumented, () => running.values());
    running.set(name, started);
    return started;
  };
  const a = await start("a");
  const b = await start("b");
  return {
    a,
    b,
    wire,
    played: (traceId) => spanTree([...played("a", a, traceId), ...played("b", b, traceId)]),
    counted: async (metric) => sums(await Promise.all([a, b].map(async ({ recorded }) => recorded.points(metric)))),
    async [Symbol.asyncDispose]() {
      await stop(b);
      await stop(a);
    },
  };
}

function serverOf(
  name: ProcessName,
  { core, WebSocketTransport }: Copy,
  rooms: Record<string, DefineRoom>,
  shared: Pick<ServerOptions, "presence" | "driver" | "selectProcessIdToCreateRoom">,
): Server {
  const transport = new WebSocketTransport({});
  const server = new core.Server({ greet: false, gracefullyShutdown: false, transport, ...shared });
  for (const [room, define] of Object.entries(rooms)) {
    server.define(room, define(core, name));
  }
  return server;
}

async function startProcess(
  { core, instrument, sessionOf }: Copy,
  server: Server,
  presence: LocalPresence,
  options: InstrumentOptions | undefined,
  all: () => Iterable<ClusterProcess>,
): Promise<ClusterProcess> {
  const recorded = recordTelemetry();
  const { tracerProvider, meterProvider } = recorded;
  const telemetry = options && instrument(server, { tracerProvider, meterProvider, ...options });
  await server.listen(0, "127.0.0.1");
  const url = urlOf(server);
  return {
    core,
    sessionOf,
    matchMaker: core.matchMaker,
    server,
    presence,
    telemetry,
    recorded,
    url,
    client: () => new Client(url, { urlBuilder: (asked) => routed(asked, all()) }),
    request: async (method, room, body = {}) => ask(`${url}/matchmake/${method}/${room}`, body),
  };
}

async function loadCopies(): Promise<Record<ProcessName, Copy>> {
  process.env["COLYSEUS_PRESENCE_SHORT_TIMEOUT"] = String(IPC_TIMEOUT);
  const a = await loadCopy();
  return { a, b: await loadCopy() };
}

function urlOf({ transport }: Server): string {
  const { port } = transport.server!.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

/** What a proxy before the processes does: the path of a socket begins with the id of its room's process. */
function routed(asked: URL, processes: Iterable<ClusterProcess>): string {
  const [, processId] = asked.pathname.split("/");
  for (const { matchMaker: at, url } of processes) {
    if (at.processId === processId) {
      asked.host = new URL(url).host;
    }
  }
  return asked.href;
}

async function ask(url: string, body: unknown): Promise<MatchmakeAnswer> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as MatchmakeAnswer["body"] };
}

function played(name: ProcessName, { recorded }: ClusterProcess, traceId?: string): ReadableSpan[] {
  return recorded
    .spans()
    .filter((span) => !span.name.startsWith("gameserver."))
    .filter((span) => traceId === undefined || span.spanContext().traceId === traceId)
    .map((span) => Object.create(span, { name: { value: `${name}: ${span.name}` } }) as ReadableSpan);
}

function sums(points: readonly Record<string, unknown>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const [labels, value] of points.flatMap((one) => Object.entries(one))) {
    sum[labels] = (sum[labels] ?? 0) + Number(value);
  }
  return sum;
}

async function stop({ server, matchMaker: stopped, telemetry }: ClusterProcess): Promise<void> {
  await server.gracefullyShutdown(false);
  for (const name of Object.keys(stopped.getAllHandlers())) {
    server.removeRoomType(name);
  }
  await telemetry?.shutdown();
}
