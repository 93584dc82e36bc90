import type { Server } from "@colyseus/core";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Telemetry } from "colyseus-otel";
import { startSidecar } from "../standins/agones-sidecar.ts";
import { makeProject } from "./_project.ts";

const page = readFileSync(join(resolve(import.meta.dirname, ".."), "docs/agones.md"), "utf8");
const files = Object.fromEntries(
  [...page.matchAll(/<!-- run by test\/agones-page\.test\.ts: (\S+) -->\n```ts\n([^]*?)```/g)].map(([, name, code]) => [
    name!,
    code!,
  ]),
);
const project = makeProject({
  ...files,
  "app.config.ts": `
    import { defineServer } from "@colyseus/core";
    export const server = defineServer({ rooms: {}, greet: false });`,
  "maps.ts": `
    export const loaded: unknown[] = [];
    export const loadMapOf = (gameServer: unknown) => void loaded.push(gameServer);`,
});

afterAll(() => project[Symbol.dispose]());

test("the page's server loads a map at each allocation, and goes back into the pool by the page's own line", async () => {
  await using stand = await startSidecar({ rateLimit: 10 });
  process.env["AGONES_SDK_GRPC_PORT"] = String(stand.port);
  process.env["AGONES_SDK_HTTP_PORT"] = String(stand.httpPort);
  const { telemetry } = await project.load<{ telemetry: Telemetry }>("game.ts");
  const { server } = await project.load<{ server: Server }>("app.config.ts");
  const { loaded } = await project.load<{ loaded: unknown[] }>("maps.ts");
  await server.listen(0);
  await telemetry.ready;
  const allocated = async (times: number) => {
    stand.allocate();
    await stand.waitFor(({ annotations }) => annotations["agones.dev/sdk-allocations"] === String(times));
  };
  await allocated(1);
  await project.load("again.ts");
  await stand.waitFor(({ state }) => state === "Ready");
  await allocated(2);
  expect(loaded).toHaveLength(2);
  await server.gracefullyShutdown(false);
  await telemetry.shutdown();
});
