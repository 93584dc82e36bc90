import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { startReceiver, type ReceivedSpan } from "../demo/receiver/receiver.ts";
import { verdict } from "../demo/verdict.ts";
import { mutations } from "./_mutations.ts";

interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** What `npm start -- ...` runs once the package is built. */
async function play(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const demo = spawn(process.execPath, [fileURLToPath(new URL("../demo/main.ts", import.meta.url)), ...args], {
    env: { ...process.env, AGONES_SDK_GRPC_PORT: "0", OTEL_EXPORTER_OTLP_ENDPOINT: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  demo.stdout.on("data", (chunk: Buffer) => (output += String(chunk)));
  demo.stderr.on("data", (chunk: Buffer) => (output += String(chunk)));
  const [code] = (await once(demo, "close")) as [number | null];
  return { code, output };
}

let spans: readonly ReceivedSpan[] = [];

beforeAll(async () => {
  await using receiver = await startReceiver();
  const run = await play(["--once"], { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
  expect(run, run.output).toMatchObject({ code: 0 });
  spans = [...receiver.spans];
}, 60_000);

test("with OTEL_EXPORTER_OTLP_ENDPOINT every span of every process goes to whatever listens there, whole", () => {
  expect(verdict(spans)).toEqual([]);
  const services = new Set(spans.map(({ resource }) => resource["service.name"]));
  expect(services).toEqual(new Set(["arena-server", "login", "matchmaker"]));
});

test("no span id comes twice, no parent is missing, no child starts over 5 ms before its parent", () => {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  expect(byId.size).toBe(spans.length);
  for (const span of spans) {
    const parent = span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId);
    expect([span.name, parent?.traceId]).toEqual([span.name, span.parentSpanId && span.traceId]);
    expect(span.startMs, span.name).toBeGreaterThan((parent?.startMs ?? 0) - 5);
    expect(span.endMs, span.name).toBeGreaterThanOrEqual(span.startMs);
  }
});

test("the verdict on a real run names each span that is dropped, re-parented or moved to another trace", () => {
  const broken = mutations(spans);
  expect(broken.length).toBeGreaterThan(300);
  for (const { what, name, spans: mutated } of broken) {
    expect(verdict(mutated).join("\n"), what).toContain(name);
  }
});

test("the server's resource names its GameServer and fleet", () => {
  const boot = spans.find(({ name }) => name === "gameserver.boot")!;
  expect(boot.resource).toMatchObject({
    "agones.gameserver.name": "arena-7xk2p",
    "agones.fleet": "arena",
    "service.instance.id": "arena-7xk2p",
  });
});

test("npm start -- --once draws boot and player, says that all is whole and exits 0", { timeout: 60_000 }, async () => {
  const { code, output } = await play(["--once"]);
  expect(code, output).toBe(0);
  for (const name of [
    "gameserver.boot.load",
    "agones.wait_for_ready",
    "gameserver.allocated",
    "room.on_join arena",
    "session.lifecycle",
  ]) {
    expect(output).toContain(name);
  }
  expect(Math.max(...output.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
});

test("npm start -- --once --trust ignore exits 1 and names the missing link", { timeout: 60_000 }, async () => {
  const { code, output } = await play(["--once", "--trust", "ignore"]);
  expect(code).toBe(1);
  expect(output).toContain("matchmake arena: not a child of player.login");
});

test("an option that is not known exits 2 and says which", async () => {
  expect(await play(["--onec"])).toMatchObject({ code: 2, output: expect.stringContaining("unknown option '--onec'") });
});
