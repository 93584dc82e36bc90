import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { rolldown } from "rolldown";

rmSync("dist", { recursive: true, force: true });

// One file an entry and one that entries share: Node takes half a millisecond a module, and as seventy files the plugin
// alone cost the boot 45 ms instead of 14. Nothing is minified, so stack traces read as the source does.
await bundle(["index", "agones", "backend", "gamelift", "sdk"]);
// For itself: every node process that inherits --import loads it, and what the others share loads the API (9 ms).
await bundle(["register"]);
// For itself: it runs in browsers and game engines, beside the Colyseus SDK.
await bundle(["client"]);

const compiler = createRequire(import.meta.url)
  .resolve("typescript/package.json")
  .replace("package.json", "bin/tsc");
execFileSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], { stdio: "inherit" });

async function bundle(entries: readonly string[]): Promise<void> {
  const built = await rolldown({
    input: entries.map((entry) => `src/${entry}.ts`),
    external: /^[^./]/,
    platform: "node",
  });
  await built.write({
    dir: "dist",
    format: "esm",
    sourcemap: true,
    chunkFileNames: "[name].js",
    codeSplitting: { groups: [{ name: "shared", minShareCount: 2 }] },
  });
}
