import { execFile, type ExecFileException } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { builtCollector, collectorPath } from "../scripts/real/collector.ts";
import { MissingError, versionOf } from "../scripts/real/program.ts";
import { SUITES } from "../scripts/real/suites.ts";

const root = join(import.meta.dirname, "..");
/** A machine with nothing but node. */
let bare: string;

beforeAll(() => {
  bare = mkdtempSync(join(tmpdir(), "colyseus-otel-runner-"));
  symlinkSync(process.execPath, join(bare, "node"));
});

afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(bare, { recursive: true }));

interface Ran {
  readonly code: number;
  readonly output: string;
}

async function real(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const { promise, resolve } = Promise.withResolvers<Ran>();
  const options = { cwd: root, env: { PATH: bare, CI: "true", ...env } };
  execFile(process.execPath, ["scripts/real.ts", ...args], options, (error: ExecFileException | null, stdout, stderr) =>
    resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
  );
  return promise;
}

test("--help fits into 100 columns and names every suite", async () => {
  const { code, output } = await real(["--help"]);
  expect(code).toBe(0);
  expect(output.split("\n").filter((line) => line.length > 100)).toEqual([]);
  for (const { name, doc } of SUITES) {
    expect(output).toMatch(new RegExp(`^  ${name} +${doc}$`, "m"));
  }
});

test.each([
  ["a suite that there is not", ["--only", "postgres"], `"postgres" is none of collector, prometheus`],
  ["an option that there is not", ["--fast"], "unknown option '--fast'"],
  ["nothing", ["--only", "redis", "--without", "redis"], "nothing is left to run"],
])("%s is exit code 2, in one line", async (_what, args, message) => {
  const { code, output } = await real(args);
  expect(code).toBe(2);
  expect(output).toContain(message);
  expect(output.trim().split("\n").length).toBe(1);
});

test("a program that is missing is a failure that says how to get it; what is left out is said as well", async () => {
  const { code, output } = await real(["--without", "collector", "--without", "chromium"]);
  expect(code).toBe(1);
  expect(output.slice(output.indexOf("test:real in")).split("\n").slice(1)).toMatchInlineSnapshot(`
    [
      "collector: NOT RUN (--without)",
      "prometheus: MISSING no prometheus: apt-get install prometheus",
      "redis: MISSING no redis-server: apt-get install redis-server",
      "chromium: NOT RUN (--without)",
      "sdk-server: MISSING AGONES_SDK_SERVER is not set: AGONES_SDK_SERVER=path npm run test:real, with sdk-server of an official Agones release",
      "",
    ]
  `);
});

test("without Go there is no Collector, unless it was built before", async () => {
  vi.stubEnv("PATH", bare);
  const cache = join(bare, "cache");
  await expect(builtCollector(() => {}, cache)).rejects.toThrow(new MissingError("no go"));
  mkdirSync(cache);
  writeFileSync(collectorPath(cache), "#!/bin/sh\necho collector version 0.150.0\n", { mode: 0o755 });
  expect(await builtCollector(() => {}, cache)).toBe("OpenTelemetry Collector 0.150.0");
});

test("a program that does not run is a failure with what it said", async () => {
  mkdirSync(join(bare, "bin"));
  writeFileSync(join(bare, "bin/redis-server"), "#!/bin/sh\necho no such library >&2; exit 127\n", { mode: 0o755 });
  const { code, output } = await real(["--only", "redis"], { PATH: `${join(bare, "bin")}:/bin` });
  expect(code).toBe(1);
  expect(output).toContain("redis: FAILED redis-server tells no version: no such library");
});

test("a program that logs its version as JSON is asked for that, and not for the time", async () => {
  const sdkServer = join(bare, "sdk-server");
  const line = '{"time":"2026-11-21T20:53:48.885Z","version":"1.60.0-676cc64"}';
  writeFileSync(sdkServer, `#!/bin/sh\necho '${line}'\n`, { mode: 0o755 });
  expect(await versionOf(sdkServer, [])).toBe("1.60.0-676cc64");
});
