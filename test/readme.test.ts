import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Client } from "@colyseus/sdk";
import { startReceiver } from "../demo/receiver/receiver.ts";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { makeProject } from "./_project.ts";
import { until } from "./_server.ts";

// The README's code as a user's project: written to a folder of its own, with the built package in its node_modules.
const root = resolve(import.meta.dirname, "..");
const [first, second] = [
  ...readFileSync(join(root, "README.md"), "utf8").matchAll(/<!-- run by test\/readme.test.ts -->\n```ts\n([^`]*)```/g),
].map(([, code]) => code!);
const TELL = `const { port } = server.transport.server!.address() as { port: number };
process.send!({ type: "readme", port, endpoints: telemetry.endpoints });
`;
const LISTEN = `await server.listen(0, "127.0.0.1");\nawait telemetry.ready;\n${TELL}`;

const project = makeProject({
  "arena-room.ts": `import { Room } from "@colyseus/core";\nexport class ArenaRoom extends Room { override onJoin() {} }\n`,
  "maps.ts": `export const loadMap = async (name: string) => ({ name });\n`,
  "app.config.ts": first!,
  "server.ts": first!
    .replace("\nexport const telemetry = instrument(server);\n", "\n")
    .replace(/^import \{ instrument \}.*\n/m, ""),
  "main.ts": `import { server, telemetry } from "./app.config.ts";\n${LISTEN}`,
  "agones.config.ts": second!,
  "agones-main.ts": `import { server } from "./server.ts";\nimport { telemetry } from "./agones.config.ts";\n${TELL}`,
});

afterAll(() => project[Symbol.dispose]());

function run(program: string, env: NodeJS.ProcessEnv) {
  const child = fork(join(project.directory, program), {
    cwd: project.directory,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    execArgv: [],
  });
  let output = "";
  let told: { port: number; endpoints?: { host: string; port: number } } | undefined;
  child.stdout!.on("data", (chunk: Buffer) => (output += String(chunk)));
  child.stderr!.on("data", (chunk: Buffer) => (output += String(chunk)));
  child.on(
    "message",
    (message: { type: string } & NonNullable<typeof told>) => message.type === "readme" && (told = message),
  );
  return {
    told: async () => {
      await until(`the program; it said: ${output}`, () => told, 10_000);
      return told!;
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await once(child, "close");
      }
    },
  };
}

test("the README has the two pieces of code that are run here", () => {
  expect(first).toContain("startTelemetry();");
  expect(second).toContain("agones({");
});

test("the README's code type-checks in a project of its own", () => {
  const options = [
    "--noEmit",
    "--strict",
    "--target",
    "ES2024",
    "--module",
    "NodeNext",
    "--types",
    "node",
    "--skipLibCheck",
    "--allowImportingTsExtensions",
    "--ignoreConfig",
  ];
  execFileSync(join(root, "node_modules/.bin/tsc"), [...options, "app.config.ts", "agones.config.ts"], {
    cwd: project.directory,
    stdio: "pipe",
  });
});

test("the README's first lines trace a player of a server that somebody else wrote", async () => {
  await using receiver = await startReceiver();
  await using game = run("main.ts", { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
  const { port } = await game.told();
  const room = await new Client(`http://127.0.0.1:${port}`).joinOrCreate("arena");
  await room.leave();
  await receiver.waitFor(
    () => ["gameserver.boot", "session.lifecycle"].every((name) => receiver.spans.some((span) => span.name === name)),
    10_000,
  );
});

test("the README's lines for Agones reach Ready and continue the allocation's trace", async () => {
  await using receiver = await startReceiver();
  await using sidecar = await startSidecar();
  await using game = run("agones-main.ts", {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    AGONES_SDK_GRPC_PORT: String(sidecar.port),
    PORT: "0",
  });
  await game.told();
  sidecar.allocate({ annotations: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" } });
  await receiver.waitFor(() => receiver.spans.some(({ name }) => name === "gameserver.allocated"), 10_000);
  expect(receiver.spans.find(({ name }) => name === "gameserver.map_load")!.traceId).toBe(
    "0af7651916cd43dd8448eb211c80319c",
  );
});
