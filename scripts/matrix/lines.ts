import { APPS, type App } from "./apps.ts";
import { BESIDE, SUITE, NEWER } from "./suite.ts";

type Versions = Readonly<Record<string, string>>;

/** One combination that users have: what is installed where our own devDependencies have another version. */
export interface Line {
  readonly name: string;
  /** What the table in the README calls it. */
  readonly title: string;
  readonly doc: string;
  /** Lines of one project share what is installed. */
  readonly project: string;
  /** With `node`, the tests run on that Node instead of this one. */
  readonly versions: Versions;
  readonly changes: readonly Change[];
  /** Files of test/. */
  readonly tests: readonly string[];
  readonly app?: App;
}

/** A file of the example server, which is written for 0.18, as another line has to have it. */
interface Change {
  readonly path: string;
  /** The file to take instead. */
  readonly from?: string;
  /** What to write instead, old and new. */
  readonly rename?: readonly [string, string];
}

interface Colyseus {
  readonly versions: Versions;
  readonly changes: readonly Change[];
}

// Versions that belong together: schema 4 with Colyseus 0.17, schema 5 with 0.18.
const COLYSEUS: Readonly<Record<"0.17" | "0.18", Colyseus>> = {
  "0.17": {
    versions: {
      "@colyseus/core": "0.17.51",
      "@colyseus/schema": "4.0.31",
      "@colyseus/sdk": "0.17.43",
      "@colyseus/ws-transport": "0.17.13",
      colyseus: "0.17.10",
    },
    changes: [
      {
        path: "example-server/arena/state.ts",
        from: "test/matrix/state-0.17.mjs",
        rename: ["../../example-server/arena/", "./"],
      },
      { path: "example-server/arena/arena-room.ts", rename: ["setTimestep", "setSimulationInterval"] },
    ],
  },
  "0.18": {
    versions: {
      "@colyseus/core": "0.18.17",
      "@colyseus/schema": "5.0.34",
      "@colyseus/sdk": "0.18.4",
      "@colyseus/ws-transport": "0.18.4",
      colyseus: "0.18.8",
    },
    changes: [],
  },
};

// The exporters ask for exactly one SDK: with 2.12.1, which has no context-async-hooks, there would be two.
const OPENTELEMETRY: Readonly<Record<"2.12" | "3.1", Versions>> = {
  "2.12": { ...opentelemetry("1.9.1", "2.12.0", "0.223.0"), "@opentelemetry/sdk-trace-node": "2.12.0" },
  "3.1": opentelemetry("1.10.0", "3.1.0", "0.301.0"),
};

const OWN = "matrix/line.ts";
const TOOLS = { "@colyseus/tools": "0.18.4" };

/** What this line of Colyseus and this line of OpenTelemetry are together; the suite, unless more is said. */
function line(
  colyseus: keyof typeof COLYSEUS,
  otel: keyof typeof OPENTELEMETRY,
  more: Partial<Line> & Pick<Line, "name">,
): Line {
  const { versions, changes } = COLYSEUS[colyseus];
  const theirs = { ...versions, ...OPENTELEMETRY[otel], ...more.versions };
  return {
    title: `Colyseus ${versions["@colyseus/core"]}, OpenTelemetry ${theirs["@opentelemetry/core"]}`,
    doc: "the whole suite",
    project: more.name,
    changes,
    tests: [OWN, ...SUITE],
    ...more,
    versions: theirs,
  };
}

const suites = (["0.17", "0.18"] as const).flatMap((colyseus) =>
  (["2.12", "3.1"] as const).map((otel) => line(colyseus, otel, { name: `colyseus-${colyseus}-otel-${otel}` })),
);

const nodes = [
  // The oldest that we say we support.
  line("0.18", "3.1", {
    name: "node-22",
    title: "Node 22.15.0",
    doc: "the tests that need no newer Node themselves",
    versions: { ...TOOLS, node: "22.15.0" },
    tests: [OWN, ...SUITE.filter((test) => !NEWER.includes(test)), ...["commonjs", "tools"].map(fileBeside)],
  }),
  line("0.18", "3.1", { name: "node-26", title: "Node 26.10.0", versions: { node: "26.10.0" } }),
];

const beside = Object.entries(BESIDE).map(([name, { title, doc }]) =>
  line("0.18", "3.1", {
    name,
    title,
    doc,
    project: "beside",
    versions: {
      ...TOOLS,
      "@colyseus/testing": "0.18.6",
      "@opentelemetry/auto-instrumentations-node": "0.82.0",
      "@opentelemetry/sdk-node": "0.301.0",
      tsx: "4.23.15",
    },
    tests: [fileBeside(name)],
  }),
);

// Both are for Colyseus 0.17: their players use what that project has.
const apps = APPS.map((app) =>
  line("0.17", "3.1", {
    name: app.name,
    title: app.title,
    doc: "unchanged, under `--import colyseus-otel/register` alone",
    project: "colyseus-0.17-otel-3.1",
    tests: ["matrix/their-app.ts"],
    app,
  }),
);

export const LINES: readonly Line[] = [...suites, ...nodes, ...beside, ...apps];

function fileBeside(name: string): string {
  return `matrix/beside/${name}.ts`;
}

function opentelemetry(api: string, stable: string, experimental: string): Versions {
  const all = (version: string, names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [`@opentelemetry/${name}`, version]));
  return {
    ...all(api, ["api"]),
    ...all(stable, ["context-async-hooks", "core", "resources", "sdk-metrics", "sdk-trace"]),
    ...all(experimental, [
      "exporter-metrics-otlp-grpc",
      "exporter-prometheus",
      "exporter-trace-otlp-grpc",
      "otlp-grpc-exporter-base",
    ]),
  };
}
