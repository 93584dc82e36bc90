import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { playersOf } from "../demo/cast.ts";
import { CAST } from "../demo/expected.ts";
import { startReceiver, type ReceivedSpan } from "../demo/receiver/receiver.ts";
import { verdict } from "../demo/verdict.ts";
import { startSidecar } from "../standins/agones-sidecar.ts";
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

describe.each([
  { how: "with its two lines", args: [] },
  { how: "without code", args: ["--zero-code"] },
])("the story of a game $how", ({ args }) => {
  let spans: readonly ReceivedSpan[] = [];

  beforeAll(async () => {
    await using receiver = await startReceiver();
    const run = await play(["--once", ...args], { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
    expect(run, run.output).toMatchObject({ code: 0 });
    spans = [...receiver.spans];
  }, 60_000);

  test("with OTEL_EXPORTER_OTLP_ENDPOINT every span of every process goes to whatever listens there, whole", () => {
    expect(verdict(spans, CAST)).toEqual([]);
    const services = new Set(spans.map(({ resource }) => resource["service.name"]));
    expect(services).toEqual(new Set(["arena-server", "login", "matchmaker"]));
  });

  test("is one trace a player from the login to the end, beside the boot's and the disposal's", () => {
    const traces = [...Map.groupBy(spans, ({ traceId }) => traceId).values()];
    const rootsOf = (trace: readonly ReceivedSpan[]) => trace.filter((span) => span.parentSpanId === undefined);
    const roots = traces.map((trace) => rootsOf(trace).map(({ name }) => name));
    expect(roots.flat().toSorted()).toEqual([
      "gameserver.boot",
      "room.on_dispose arena",
      ...Array(CAST.length).fill("session.started"),
    ]);
    expect(roots).toHaveLength(2 + CAST.length);
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
    const broken = mutations(spans, CAST);
    expect(broken.length).toBeGreaterThan(900);
    for (const { what, name, spans: mutated } of broken) {
      expect(verdict(mutated, CAST).join("\n"), what).toContain(name);
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

  test("the session is the login's on every side, and the address is where the player went", () => {
    const anns = playersOf(spans).get("ann")!;
    const attribute = (name: string, key: string) => anns.find((span) => span.name === name)?.attributes[key];
    const id = attribute("session.started", "session.id");
    expect(attribute("session.lifecycle", "session.id")).toBe(id);
    expect(attribute("session.phase.in_game", "session.id")).toBe(id);
    expect(attribute("session.lifecycle", "player.id")).toBe("ann");
    expect(attribute("provision.allocate_server", "server.address")).toBe("127.0.0.1");
    expect(attribute("provision.agones_allocate", "agones.server_name")).toBe("arena-7xk2p");
  });

  test("is drawn, said to be whole, and exits 0", { timeout: 60_000 }, async () => {
    const { code, output } = await play(["--once", ...args]);
    expect(code, output).toBe(0);
    for (const { name, optional } of CAST[0].story) {
      if (!optional) expect(output).toContain(name);
    }
    expect(output.split("\n").filter((line) => /^ {2}(bob|kim|ned|fay|eve) /.test(line))).toEqual([
      expect.stringMatching(/^ {2}bob [0-9a-f]{8} client_quit \(graceful\) .*in_game [\d.]+ m?s$/),
      expect.stringMatching(/^ {2}kim [0-9a-f]{8} kicked \(enforcement\) .*in_game [\d.]+ m?s$/),
      expect.stringMatching(
        /^ {2}ned [0-9a-f]{8} timeout \(connection_failure\) .*in_game [\d.]+ m?s, reconnecting [\d.]+ s$/,
      ),
      expect.stringMatching(/^ {2}fay [0-9a-f]{8} refused: room_full .*matchmake [\d.]+ ms$/),
      expect.stringMatching(/^ {2}eve [0-9a-f]{8} refused: auth_failed .*matchmake [\d.]+ ms$/),
    ]);
    expect(output).not.toContain("\u001B[");
    expect(Math.max(...output.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test("with --trust ignore exits 1 and names the missing links", { timeout: 60_000 }, async () => {
    const { code, output } = await play(["--once", "--trust", "ignore", ...args]);
    expect(code).toBe(1);
    expect(output).toContain("matchmake arena: not a child of session.started (it has no parent)");
    expect(output).toContain("room.on_leave arena: not a child of session.started (but of arena-server's");
    expect(Math.max(...output.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});

test("beside somebody else's sidecar nothing is allocated, and that is said", { timeout: 60_000 }, async () => {
  await using foreign = await startSidecar();
  const { code, output } = await play(["--once"], { AGONES_SDK_GRPC_PORT: String(foreign.port) });
  expect(code).toBe(1);
  expect(output).toContain("it is not ours, so there is no allocation service");
  expect(output).toContain("provision.allocate_server: missing");
  expect(output).toMatch(/ann +left after/);
});

test("an endpoint that nobody listens on is said, and exits 1", { timeout: 60_000 }, async () => {
  const { code, output } = await play(["--once"], { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" });
  expect(code).toBe(1);
  expect(output).toContain("cannot export to http://127.0.0.1:9");
});

test("an option that is not known exits 2 and says which", async () => {
  expect(await play(["--onec"])).toMatchObject({ code: 2, output: expect.stringContaining("unknown option '--onec'") });
});
