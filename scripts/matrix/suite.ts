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

/** What these tests run or import. */
export const FOLDERS: readonly string[] = ["demo", "example-server", "standins", "test/apps", "test/matrix"];

/** Packages of our own devDependencies that they need, in our own version. */
export const TOOLS: readonly string[] = [
  "@google-cloud/agones-sdk",
  "@grpc/grpc-js",
  "@grpc/proto-loader",
  "commander",
  "fast-check",
  "picocolors",
  "vite",
  "vitest",
];
