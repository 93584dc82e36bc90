import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    // Tests run what is written, not what was built last; test/package.test.ts looks at what is built.
    alias: [
      { find: /^colyseus-otel$/, replacement: source("./src/index.ts") },
      { find: /^colyseus-otel\/(\w+)$/, replacement: source("./src/$1.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/_build.ts"],
    // Colyseus keeps its matchmaker, and we our hooks, per process.
    pool: "forks",
    isolate: true,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
