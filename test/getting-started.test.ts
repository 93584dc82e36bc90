import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freePort } from "../demo/free-port.ts";
import { startReceiver, type ReceivedSpan } from "../demo/receiver/receiver.ts";
import { documented, pageText, pathsOf } from "./_documented.ts";
import { makeProject } from "./_project.ts";

const root = resolve(import.meta.dirname, "..");
const code = documented("getting-started.md", "run by test/getting-started.test.ts");
const trees = documented("getting-started.md", "told in test/getting-started.test.ts");
const project = makeProject(Object.fromEntries(code));

afterAll(() => project[Symbol.dispose]());

test("the page's code type-checks in a project of its own", () => {
  const flags = "--noEmit --strict --target ES2024 --module NodeNext --types node --skipLibCheck --ignoreConfig";
  const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), [...flags.split(" "), ...code.keys()], {
    cwd: project.directory,
    encoding: "utf8",
  });
  expect(stdout).toBe("");
});

test("the page installs what the README does, beside Colyseus", () => {
  const [install] = /npm install colyseus-otel @[^`]*/.exec(readFileSync(join(root, "README.md"), "utf8"))!;
  expect(pageText("getting-started.md")).toContain(install);
});

test("the page's server and player give the two trees that it shows", { timeout: 60_000 }, async () => {
  await using receiver = await startReceiver();
  const PORT = String(await freePort());
  const env = { ...process.env, PORT, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint };
  await using server = run("server.ts", env);
  await receiver.waitFor((spans) => spans.some(({ name }) => name === "gameserver.boot"), 30_000);
  await using player = run("player.ts", env);
  await receiver.waitFor((spans) => spans.some(({ name }) => name === "session.lifecycle"), 30_000);
  const whole = () => ["gameserver.boot", "matchmake arena"].map((root) => pathsOf(treeOf(receiver.spans, root)));
  const expected = [trees.get("boot")!, trees.get("player")!].map(pathsOf);
  const size = (trees: readonly Set<string>[]) => trees.map((paths) => paths.size).join();
  await receiver.waitFor(() => size(whole()) === size(expected), 30_000).catch(() => {});
  expect(whole()).toEqual(expected);
  expect([server.child.exitCode, player.child.signalCode]).toEqual([null, null]);
});

function run(program: string, env: NodeJS.ProcessEnv): AsyncDisposable & { readonly child: ChildProcess } {
  const child = fork(join(project.directory, program), { cwd: project.directory, env, stdio: "ignore", execArgv: [] });
  return {
    child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "close");
      }
    },
  };
}

function treeOf(spans: readonly ReceivedSpan[], name: string): string {
  const draw = (span: ReceivedSpan, depth: number): string[] => {
    const children = spans.filter(({ parentSpanId }) => parentSpanId === span.spanId);
    return [`${"   ".repeat(depth)}${span.name}\n`, ...children.flatMap((child) => draw(child, depth + 1))];
  };
  return draw(
    spans.find((span) => span.name === name)!,
    0,
  ).join("");
}
