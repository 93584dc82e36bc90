import { join } from "node:path";
import { freePort } from "../../demo/free-port.ts";
import { startReceiver, type Receiver } from "../../demo/receiver/receiver.ts";
import { collectorPath } from "../../scripts/real/collector.ts";
import { until } from "../_server.ts";
import { playWith, startProgram, type Program } from "./_program.ts";

/** `decision_wait` there, twice and more. */
const DECIDED = 60_000;
const CONFIG = join(import.meta.dirname, "../../deploy/collector.yaml");

/** An OpenTelemetry Collector under deploy/collector.yaml, on the same ports in all its lives. */
export interface RealCollector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  /** What it forwards to. */
  readonly backend: Receiver;
  /** Waits for what may need a decision. */
  until(what: string, predicate: () => unknown): Promise<void>;
  freeze(): void;
  thaw(): void;
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  restart(): Promise<void>;
  /** One of its own figures: `otelcol_` and `_total` go without saying, `labels` are as Prometheus writes them. */
  figure(name: string, labels?: string): Promise<number>;
}

/** Fails at once when the Collector is gone before its time. */
export async function withCollector(play: (collector: RealCollector) => Promise<void>): Promise<void> {
  await using backend = await startReceiver();
  const [port, metricsPort] = [await freePort(), await freePort()];
  const env = {
    OTLP_RECEIVE: `127.0.0.1:${port}`,
    OTLP_FORWARD: new URL(backend.endpoint).host,
    OTLP_FORWARD_INSECURE: "true",
    METRICS_HOST: "127.0.0.1",
    METRICS_PORT: String(metricsPort),
  };
  await using lives = new AsyncDisposableStack();
  const gone = Promise.withResolvers<never>();
  const live = async (): Promise<Program> => {
    const args = () => ["--config", CONFIG];
    const program = lives.use(await startProgram(collectorPath(), { args, env, ready: /Everything is ready/ }));
    program.gone.catch(gone.reject);
    return program;
  };
  let program = await live();
  const collector: RealCollector = {
    async until(what, predicate) {
      await until(what, predicate, DECIDED).catch((error: Error) => {
        throw new Error(`${error.message}; the Collector said last:\n${program.lastLines()}`);
      });
    },
    endpoint: `http://127.0.0.1:${port}`,
    backend,
    freeze: () => program.freeze(),
    thaw: () => program.thaw(),
    end: async (signal) => program.end(signal),
    async restart() {
      program = await live();
    },
    async figure(name, labels = "") {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      const lines = text
        .split("\n")
        .filter((line) => line.startsWith(`otelcol_${name}_total{`) && line.includes(labels));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
    },
  };
  await playWith(gone.promise, async () => play(collector));
}
