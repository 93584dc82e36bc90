import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../demo/free-port.ts";
import { playWith, startProgram, type Program } from "./_program.ts";

/** A series of an answer, and its value now. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface RuleState {
  readonly name: string;
  readonly type: "alerting" | "recording";
  /** `err` with `lastError`, where it could not be evaluated. */
  readonly health: string;
  readonly lastError?: string;
  readonly state?: "inactive" | "pending" | "firing";
}

export interface Prometheus extends Program {
  /** Without the series that are not a number. @throws Error with what Prometheus says of the query */
  query(expr: string): Promise<Sample[]>;
  rules(): Promise<RuleState[]>;
}

const EVERY = "1s";
const PATIENCE = 10_000;
const rules = join(import.meta.dirname, "../../deploy/prometheus/rules.yaml");

/** A real Prometheus with the operator's rules, which scrapes these ports each second: by job, as Kubernetes' pods are. */
export async function startPrometheus(jobs: Readonly<Record<string, readonly number[]>>): Promise<Prometheus> {
  const port = await freePort();
  const scrape_configs = Object.entries(jobs).map(([job_name, ports]) => ({
    job_name,
    static_configs: [{ targets: ports.map((port) => `127.0.0.1:${port}`) }],
  }));
  const config = {
    global: { scrape_interval: EVERY, scrape_timeout: EVERY, evaluation_interval: EVERY },
    rule_files: [rules],
    scrape_configs,
  };
  const program = await startProgram("prometheus", {
    args(folder) {
      const file = join(folder, "prometheus.yml");
      // JSON is YAML.
      writeFileSync(file, JSON.stringify(config));
      return [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ];
    },
    ready: /Server is ready to receive web requests/,
  });
  const ask = async <T>(path: string, parameters: Record<string, string> = {}): Promise<T> => {
    const url = `http://127.0.0.1:${port}/api/v1/${path}?${String(new URLSearchParams(parameters))}`;
    const { data, error } = (await playWith(program.gone, async () => answerOf(url))) as { data: T; error?: string };
    if (error !== undefined) {
      throw new Error(`${error}\n${JSON.stringify(parameters)}`);
    }
    return data;
  };
  return Object.assign(program, {
    async query(expr: string) {
      type Result = { readonly metric: Sample["metric"]; readonly value: readonly [at: number, value: string] };
      const { result } = await ask<{ result: readonly Result[] }>("query", { query: expr });
      const samples = result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
      return samples.filter(({ value }) => !Number.isNaN(value));
    },
    async rules() {
      const { groups } = await ask<{ groups: readonly { rules: RuleState[] }[] }>("rules");
      return groups.flatMap(({ rules }) => rules);
    },
  });
}

async function answerOf(url: string): Promise<unknown> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    return await answer.json();
  } catch (error) {
    const silent = error instanceof Error && error.name === "TimeoutError";
    throw silent ? new Error(`Prometheus has not answered for ${PATIENCE / 1000} s`, { cause: error }) : error;
  }
}
