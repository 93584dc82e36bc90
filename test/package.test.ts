import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPackage, type BuiltPackage } from "./_package.ts";

interface Manifest {
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies?: unknown;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}

let built: BuiltPackage;
let manifest: Manifest;

beforeAll(async () => {
  built = await buildPackage();
  manifest = JSON.parse(await readFile(join(built.directory, "package.json"), "utf8")) as Manifest;
}, 60_000);

afterAll(() => built[Symbol.asyncDispose]());

test("ships dist with its sources, and nothing of the workshop", async () => {
  const published = await built.published();
  const [inDist, inSrc] = ["dist/", "src/"].map((folder) => published.filter((path) => path.startsWith(folder)));
  const outside = published.filter((path) => !inDist!.includes(path) && !inSrc!.includes(path));

  expect(outside).toMatchInlineSnapshot(`
    [
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "package.json",
    ]
  `);
  expect(inDist!.filter((path) => path.endsWith(".js"))).toMatchInlineSnapshot(`
    [
      "dist/agones.js",
      "dist/backend.js",
      "dist/client.js",
      "dist/gamelift.js",
      "dist/index.js",
      "dist/register.js",
      "dist/sdk.js",
      "dist/shared.js",
    ]
  `);
  const stem = (path: string) => path.replace(/^src/, "dist").replace(/\.ts$/, "");
  const types = inDist!.filter((path) => /\.d\.ts(\.map)?$/.test(path));
  expect(types).toEqual(inSrc!.flatMap((path) => [`${stem(path)}.d.ts`, `${stem(path)}.d.ts.map`]).toSorted());
  const entries = Object.values(manifest.exports).filter((path) => path.endsWith(".js"));
  const code = inDist!.filter((path) => path.endsWith(".js")).map((path) => `./${path}`);
  expect(code.filter((path) => path !== "./dist/shared.js")).toEqual(entries.toSorted());
});

test("is a handful of files at run time: Node takes half a millisecond for each, on the way to Ready", async () => {
  const published = await built.published();
  const code = published.filter((path) => path.startsWith("dist/") && path.endsWith(".js"));
  expect(code.filter((path) => path !== "dist/client.js").length).toBeLessThanOrEqual(7);
});

test.each([
  ["publint", "--strict"],
  ["attw", "--profile", "esm-only"],
] as const)(
  "%s finds nothing to say of the packed package",
  async (program, ...args) => {
    await expect(built.inspect(program, ...args)).resolves.toContain("colyseus-otel");
  },
  60_000,
);

test("exports what is written here, and a name that comes or goes is noticed", async () => {
  const entries = Object.keys(manifest.exports).filter((entry) => !entry.endsWith(".json"));
  const names = await built.run<Record<string, string[]>>(`
    const names = {};
    for (const entry of ${JSON.stringify(entries)}) {
      names[entry] = Object.keys(await import(entry.replace(".", "colyseus-otel"))).sort();
    }
    console.log(JSON.stringify(names));
  `);
  expect(names).toMatchInlineSnapshot(`
    {
      ".": [
        "bootPhase",
        "instrument",
        "mapLoad",
        "sessionOf",
      ],
      "./agones": [
        "agones",
      ],
      "./backend": [
        "AllocationError",
        "agones",
        "allocate",
        "flexMatchAttributes",
        "gameLiftPlayerData",
        "gamelift",
        "startSession",
      ],
      "./client": [
        "withTraceContext",
      ],
      "./gamelift": [
        "GameLiftError",
        "gamelift",
      ],
      "./register": [],
      "./sdk": [
        "startTelemetry",
      ],
    }
  `);
});

test("the core loads no OpenTelemetry but the API, and no SDK of an orchestrator", async () => {
  expect(telemetryOf(await loadedBy("colyseus-otel"))).toEqual(["@opentelemetry/api"]);
  expect(telemetryOf(await loadedBy("colyseus-otel/agones"))).toEqual(["@opentelemetry/api"]);
  expect(await loadedBy("colyseus-otel/gamelift")).toEqual(["@opentelemetry/api"]);
});

test("startTelemetry() itself loads the API and its context manager, and no SDK yet", async () => {
  const start = "const telemetry = (await import('colyseus-otel/sdk')).startTelemetry();";
  const light = ["@opentelemetry/api", "@opentelemetry/context-async-hooks"];
  expect(await loadedBy("colyseus-otel/sdk")).toEqual(light);
  expect(await loadedBy("colyseus-otel/sdk", start)).toEqual(light);
  // Seen when they are loaded: so it is not that the test sees nothing.
  expect(await loadedBy("colyseus-otel/sdk", `${start} await telemetry.flush();`)).toContain(
    "@opentelemetry/sdk-trace",
  );
});

test("has no dependencies: the host's own packages are peers, and only the API is asked for", () => {
  const { dependencies, peerDependencies, peerDependenciesMeta } = manifest;
  expect(dependencies).toBeUndefined();
  const required = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional);
  // Core as well, and npm would take the newest for us, beside the 0.17 that the app has by `colyseus`: ERESOLVE.
  expect(required).toEqual(["@opentelemetry/api"]);
});

/** Packages whose modules are loaded in a fresh process by importing this entry; our own are left out. */
function loadedBy(entry: string, more = ""): Promise<string[]> {
  return built.run<string[]>(`
    import { registerHooks } from "node:module";
    const packages = new Set();
    registerHooks({
      load(url, context, next) {
        const [, name] = /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? [];
        if (name) packages.add(name);
        return next(url, context);
      },
    });
    await import("${entry}");
    ${more}
    await new Promise((loaded) => setImmediate(loaded));
    console.log(JSON.stringify([...packages].sort()));
    process.exit();
  `);
}

function telemetryOf(packages: readonly string[]): string[] {
  return packages.filter((name) => /^@(opentelemetry|google-cloud|grpc)\/|prometheus|protobuf/.test(name));
}
