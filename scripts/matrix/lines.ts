type Versions = Readonly<Record<string, string>>;

/** One combination that users have: what is installed where our own devDependencies have another version. */
export interface Line {
  readonly name: string;
  readonly doc: string;
  readonly versions: Versions;
  readonly changes: readonly Change[];
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
const COLYSEUS: Readonly<Record<string, Colyseus>> = {
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
const OPENTELEMETRY: Readonly<Record<string, Versions>> = {
  "2.12": { ...opentelemetry("1.9.1", "2.12.0", "0.223.0"), "@opentelemetry/sdk-trace-node": "2.12.0" },
  "3.1": opentelemetry("1.10.0", "3.1.0", "0.301.0"),
};

export const LINES: readonly Line[] = Object.entries(COLYSEUS).flatMap(([colyseus, { versions, changes }]) =>
  Object.entries(OPENTELEMETRY).map(([otel, theirs]) => ({
    name: `colyseus-${colyseus}-otel-${otel}`,
    doc: `Colyseus ${versions["@colyseus/core"]}, OpenTelemetry ${theirs["@opentelemetry/core"]}`,
    versions: { ...versions, ...theirs },
    changes,
  })),
);

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
