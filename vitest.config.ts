import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Compares times: alone on the machine, after all others. */
const TIMED = ["test/delays.test.ts"];
/** Against programs that others wrote, which scripts/real.ts looks for. */
const REAL = ["test/real/**/*.test.ts"];

export default defineConfig({
  resolve: {
    // Tests run what is written, not what was built last; test/package.test.ts looks at what is built.
    alias: [
      { find: /^colyseus-otel$/, replacement: source("./src/index.ts") },
      { find: /^colyseus-otel\/(\w+)$/, replacement: source("./src/$1.ts") },
    ],
  },
  test: {
    globalSetup: ["test/_build.ts"],
    // Colyseus keeps its matchmaker, and we our hooks, per process.
    pool: "forks",
    isolate: true,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: "all",
          include: ["test/**/*.test.ts", "test/matrix/beside/*.ts"],
          exclude: [...TIMED, ...REAL],
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: "timed", include: TIMED, sequence: { groupOrder: 1 } } },
      { extends: true, test: { name: "real", include: REAL, sequence: { groupOrder: 2 }, testTimeout: 120_000 } },
    ],
  },
});
