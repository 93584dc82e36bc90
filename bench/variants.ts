import { fileURLToPath } from "node:url";

/** A program under test. All play the game of apps/arena.mjs. */
export interface Variant {
  /** For people. */
  readonly title: string;
  readonly app: string;
  /** What node gets before the app. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The span that comes once a join, and how many of a hundred do. Absent: none is told by join. */
  readonly told?: { readonly span: string; readonly percent: number };
}

const NODE_SDK = ["--import", here("apps/node-sdk.mjs")];
/** Kind to the peer: without it the detectors of five clouds ask for metadata servers that are not there. */
const DETECTORS = { OTEL_NODE_RESOURCE_DETECTORS: "env,host,os,process,serviceinstance" };
/** An export each second, as ours, so that a block of joins pays for its own spans; and room for a thousand joins a second. */
const BATCH = { OTEL_BSP_SCHEDULE_DELAY: "1000", OTEL_BSP_MAX_QUEUE_SIZE: "16384" };

const bare: Variant = {
  title: "Colyseus, Agones SDK by hand",
  app: "bare",
  flags: [],
  env: {},
};

export const VARIANTS = {
  bare,
  again: { ...bare, title: "bare again: the noise" },
  ours: { title: "ours", app: "ours", flags: [], env: {}, told: { span: "room.join arena", percent: 100 } },
  "ours-http": { title: "ours, sidecar by HTTP", app: "ours", flags: [], env: { BENCH_TRANSPORT: "http" } },
  "ours-10": {
    title: "ours, 10 % sampled",
    app: "ours",
    flags: [],
    env: { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" },
    told: { span: "room.join arena", percent: 10 },
  },
  "ours-without-sdk": { title: "ours, no SDK", app: "ours-without-sdk", flags: [], env: {} },
  "node-sdk": { title: "sdk-node, no spans", app: "bare", flags: NODE_SDK, env: { ...DETECTORS, ...BATCH } },
  "by-hand": {
    title: "sdk-node, spans by hand",
    app: "by-hand",
    flags: NODE_SDK,
    env: { ...DETECTORS, ...BATCH },
    told: { span: "player.join", percent: 100 },
  },
  "by-hand-10": {
    title: "spans by hand, 10 % sampled",
    app: "by-hand",
    flags: NODE_SDK,
    env: { ...DETECTORS, ...BATCH, OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" },
    told: { span: "player.join", percent: 10 },
  },
  auto: {
    title: "auto-instrumentations",
    app: "bare",
    flags: ["--require", "@opentelemetry/auto-instrumentations-node/register"],
    env: {
      ...DETECTORS,
      ...BATCH,
      OTEL_TRACES_EXPORTER: "otlp",
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_METRICS_EXPORTER: "prometheus",
      OTEL_LOGS_EXPORTER: "none",
    },
  },
} as const satisfies Record<string, Variant>;

export type VariantName = keyof typeof VARIANTS;

/** The variant's name for people. */
export function titleOf(name: string): string {
  return (VARIANTS as Readonly<Record<string, Variant>>)[name]?.title ?? name;
}

/** File URL of a file in this folder. */
export function here(file: string): string {
  return new URL(file, import.meta.url).href;
}

export function appFile(name: VariantName): string {
  return fileURLToPath(here(`apps/${VARIANTS[name].app}.mjs`));
}

/** The handicap slows ours, and nobody else. */
export function variantEnvironment(name: VariantName, handicap: boolean): Readonly<Record<string, string>> {
  const variant: Variant = VARIANTS[name];
  return { ...variant.env, ...(handicap && name.startsWith("ours") && { BENCH_HANDICAP: "1" }) };
}
