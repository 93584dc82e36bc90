/**
 * The tests of test/ that know the package by its entries alone: they run against the packed one. A file that imports
 * ../src does not load there, and so fails.
 */
export const SUITE: readonly string[] = [
  "agones",
  "agones-faults",
  "agones-figures",
  "agones-restarts",
  "boot",
  "cluster",
  "cluster-contexts",
  "cluster-queue",
  "cluster-refusals",
  "cluster-sessions",
  "cluster-timeouts",
  "collector-back",
  "cors",
  "drain",
  "endpoints",
  "ends",
  "join",
  "lanes",
  "listen-twice",
  "matchmake",
  "messages",
  "metering",
  "options",
  "player-session",
  "presence",
  "presence-topics",
  "provisioning",
  "queue",
  "reconnect",
  "refusals",
  "register",
  "register-environment",
  "segments",
  "session-end",
  "sessions",
  "story",
  "ticks",
  "transparent",
  "traps",
  "traps-classes",
  "traps-seats",
  "trust-signed",
  "vite",
];

/** Those of them that Node 22.15 does not run: they start TypeScript by plain node, or use an AsyncDisposableStack. */
export const NEWER: readonly string[] = [
  "agones-figures",
  "agones-restarts",
  "boot",
  "collector-back",
  "drain",
  "provisioning",
  "register",
  "register-environment",
  "story",
  "vite",
];

/** What else a program may be run by or have beside us: tests of test/matrix/beside. */
export const BESIDE: Readonly<Record<string, { readonly title: string; readonly doc: string }>> = {
  commonjs: { title: "CommonJS apps", doc: "under the preload, on 0.18" },
  tools: { title: "`@colyseus/tools` 0.18.4", doc: "`listen(app)` under the preload, ES module and CommonJS" },
  tsx: { title: "`tsx` 4.23.15", doc: "`tsx --import` and `node --import tsx` of an ES module, under the preload" },
  testing: { title: "`@colyseus/testing` 0.18.6", doc: "`boot(server)` of an instrumented server" },
  "own-sdk": {
    title: "`@opentelemetry/sdk-node` 0.301.0, `auto-instrumentations-node` 0.82.0",
    doc: "started before us: one trace, no span twice, ES module and CommonJS",
  },
};

/** What these tests run or import. */
export const FOLDERS: readonly string[] = ["demo", "example-server", "standins", "test/apps", "test/matrix"];

/** Packages of our own devDependencies that they need, in our own version. */
export const TOOLS: readonly string[] = [
  "@aws-sdk/client-gamelift",
  "@google-cloud/agones-sdk",
  "@grpc/grpc-js",
  "@grpc/proto-loader",
  "commander",
  "fast-check",
  "picocolors",
  "vite",
  "vitest",
];
