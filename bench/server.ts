import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { freePort } from "../demo/free-port.ts";
import { startProcess } from "../demo/processes.ts";
import { poll } from "../demo/waiting.ts";
import type { Counts } from "./receiver.ts";
import type { Sidecar, Stage } from "./stage.ts";
import { shuffled } from "./statistics.ts";
import { appFile, here, VARIANTS, variantEnvironment, type Variant, type VariantName } from "./variants.ts";

/** A server under test that lives as long as its part of the bench. */
export interface Measured extends AsyncDisposable {
  readonly name: VariantName;
  readonly url: string;
  readonly metricsUrl: string;
  /** When the sidecar showed it Ready: nanoseconds of {@link process.hrtime}. */
  readonly readyAt: bigint;
  /** What apps/meter.mjs does, in that process. */
  ask<Answer>(what: string, args?: object): Promise<Answer>;
  /** Spans of it at the receiver. */
  spans(): Promise<Counts>;
}

/** Microseconds of CPU. */
export interface Cpu {
  /** All threads. */
  readonly process: number;
  readonly main: number;
}

export interface ServerOptions {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const PATIENCE_MS = 150_000;
/** Longer than the second between two exports. */
const QUIET_MS = 1300;
let started = 0;

export async function startServer(stage: Stage, name: VariantName, options: ServerOptions = {}): Promise<Measured> {
  const { flags = [], env = {} } = options;
  await using stack = new AsyncDisposableStack();
  const sidecar = stack.use(await stage.openSidecar());
  const described = await describeServer(stage, name, sidecar);
  const preloads = ["--expose-gc", "--import", here("apps/meter.mjs"), ...VARIANTS[name].flags, ...flags];
  const child = stack.use(
    startProcess({
      file: appFile(name),
      name: `the server "${name}"`,
      env: { ...described.env, ...env, NODE_OPTIONS: preloads.join(" ") },
    }),
  );
  const readyAt = await Promise.race([sidecar.ready(), whenGone(child.gone)]);
  const kept = stack.move();
  return {
    name,
    readyAt,
    url: described.url,
    metricsUrl: described.metricsUrl,
    async ask<Answer>(what: string, args: object = {}) {
      child.tell({ ...args, type: "meter:ask", what });
      type Reply = { readonly type: "meter:answer"; readonly value: Answer; readonly error?: string };
      const { value, error } = await child.heard<Reply>("meter:answer", PATIENCE_MS);
      if (error !== undefined) throw new Error(`${what} failed in the server "${name}": ${error}`);
      return value;
    },
    spans: () => stage.receiver.counts(described.service),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** All at once, and in random order: they are measured only when all are there. */
export async function startServers(
  stack: AsyncDisposableStack,
  stage: Stage,
  names: readonly VariantName[],
  options: ServerOptions = {},
): Promise<Measured[]> {
  const servers = new Map<VariantName, Measured>();
  const start = async (name: VariantName) => servers.set(name, stack.use(await startServer(stage, name, options)));
  await Promise.all(shuffled(names).map(start));
  return names.map((name) => servers.get(name)!);
}

/** Waits until no more spans come: what is queued for export is no part of what is measured next. */
export async function settled(server: Measured): Promise<void> {
  const { told }: Variant = VARIANTS[server.name];
  if (!told) return;
  const total = async () => Object.values(await server.spans()).reduce((sum, count) => sum + count, 0);
  for (let [before, now] = [-1, await total()]; before !== now; [before, now] = [now, await total()]) {
    await wait(QUIET_MS);
  }
}

/** Does something, which counts for nothing unless the spans of these joins are at the receiver. */
export async function withExport<T>(server: Measured, joins: number, play: () => Promise<T>): Promise<T> {
  const { told }: Variant = VARIANTS[server.name];
  const joined = async () => (told && (await server.spans())[told.span]) ?? 0;
  const before = await joined();
  const result = await play();
  if (told) {
    // A sampler draws lots: half of what it should keep will do.
    const expected = told.percent === 100 ? joins : (joins * told.percent) / 200;
    const what = `${expected} spans "${told.span}" of "${server.name}" at the receiver`;
    await poll(what, async () => (await joined()) - before >= expected || undefined, { timeout: 5000 });
  }
  return result;
}

/** The environment of a server under test. */
export async function describeServer(stage: Stage, name: VariantName, sidecar: Pick<Sidecar, "port" | "httpPort">) {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const service = `${name}-${(started += 1)}`;
  return {
    service,
    url: `http://127.0.0.1:${port}`,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    env: {
      NODE_ENV: "production",
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      OTEL_EXPORTER_PROMETHEUS_PORT: String(metricsPort),
      AGONES_SDK_GRPC_PORT: String(sidecar.port),
      AGONES_SDK_HTTP_PORT: String(sidecar.httpPort),
      OTEL_EXPORTER_OTLP_ENDPOINT: stage.receiver.endpoint,
      OTEL_SERVICE_NAME: service,
      ...variantEnvironment(name, stage.handicap),
    },
  };
}

async function whenGone(gone: AbortSignal): Promise<never> {
  if (!gone.aborted) await once(gone, "abort");
  throw gone.reason;
}
