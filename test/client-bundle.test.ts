import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { rolldown, type OutputOptions } from "rolldown";
import { expect, test } from "vitest";

const BUILT = join(import.meta.dirname, "../dist/client.js");

/** What a game's bundler makes of the entry. */
async function bundled(output: OutputOptions, target?: string): Promise<string> {
  await using build = await rolldown({
    input: BUILT,
    platform: "browser",
    ...(target !== undefined && { transform: { target } }),
  });
  const { output: chunks } = await build.generate(output);
  expect(chunks).toHaveLength(1);
  return chunks[0].code;
}

test("costs a player's download less than 1,000 bytes, and brings nothing along", async () => {
  const code = await bundled({ minify: true });
  expect(gzipSync(code).length).toBeLessThan(1000);
  expect(readFileSync(BUILT, "utf8")).not.toMatch(/\b(import|require)\b/);
});

test("speaks no newer JavaScript than the Colyseus SDK, which needs ES2020 for ?.", async () => {
  expect(await bundled({}, "es2019")).toBe(await bundled({}, "esnext"));
});

test("runs where there is no browser and no Node: a game engine's bare JavaScript has all that it needs", async () => {
  const engine = createContext({}, { codeGeneration: { strings: false, wasm: false } });
  const program = await bundled({ format: "iife", name: "telemetry" });
  runInContext(`for (const name of ["globalThis", "console", "WebAssembly"]) delete this[name];`, engine);
  const joined: unknown = runInContext(
    `${program}; JSON.stringify(telemetry.withTraceContext({ name: "Ann" }, { traceparent: "00-1-2-01" }));`,
    engine,
  );
  expect(joined).toBe(`{"name":"Ann","traceparent":"00-1-2-01"}`);
});
