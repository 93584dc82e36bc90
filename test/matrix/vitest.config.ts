import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const shim = fileURLToPath(new URL("./sdk-trace-2.mjs", import.meta.url));

export default defineConfig({
  resolve: {
    // The tests write sdk-trace's way; on 2.12 their SDK is that of most programs, sdk-trace-node.
    alias: process.env["MATRIX_VERSIONS"]?.includes("sdk-trace-node")
      ? [{ find: /^@opentelemetry\/sdk-trace$/, replacement: shim }]
      : [],
  },
  test: {
    include: ["test/*.test.ts", "test/matrix/*.ts", "test/matrix/beside/*.ts"],
    pool: "forks",
    isolate: true,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
