import { Client } from "@colyseus/sdk";
import { spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { startReceiver } from "../demo/receiver/receiver.ts";
import { app } from "./_register.ts";
import { until } from "./_server.ts";

const PACKAGES = join(import.meta.dirname, "../node_modules");
const OURS = dirname(createRequire(import.meta.url).resolve("colyseus-otel/package.json"));

/** A game in a folder of its own, with this package among its packages. */
async function makeGame(): Promise<string> {
  const game = await mkdtemp(join(tmpdir(), "colyseus-otel-vite-"));
  const packages = join(game, "node_modules");
  await mkdir(packages);
  const names = (await readdir(PACKAGES)).filter((name) => !name.startsWith(".") && name !== "colyseus-otel");
  await Promise.all(names.map((name) => symlink(join(PACKAGES, name), join(packages, name))));
  await symlink(OURS, join(packages, "colyseus-otel"));
  await copyFile(app("vite/server.ts"), join(game, "server.ts"));
  return game;
}

test("colyseus/vite: a server that never listens is Ready, and a reload goes on in the same telemetry", async () => {
  await using receiver = await startReceiver();
  const game = await makeGame();
  const env = { ...process.env, NODE_ENV: "development", OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint };
  const child = spawn(process.execPath, [app("vite/main.ts"), game], {
    env,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  try {
    let output = "";
    let url: string | undefined;
    child.stdout!.on("data", (chunk: Buffer) => (output += String(chunk)));
    child.stderr!.on("data", (chunk: Buffer) => (output += String(chunk)));
    child.on("message", (message: { url?: string }) => (url = message.url ?? url));
    await until(`the dev server; it said: ${output}`, () => url && output.includes("Server ready on"), 20_000);
    expect(output).not.toContain("Failed to load");
    const named = (name: string) => receiver.spans.filter((span) => span.name === name);
    const first = await new Client(url).joinOrCreate("arena");
    first.reconnection.enabled = false;
    await receiver.waitFor(
      () => named("gameserver.boot").length === 1 && named("room.join arena").length === 1,
      10_000,
    );
    expect(named("gameserver.boot")[0]?.status.code).toBe("UNSET");

    const server = join(game, "server.ts");
    await writeFile(server, (await readFile(server, "utf8")).replace("override onJoin() {}", "override onLeave() {}"));
    await until(`the reload; it said: ${output}`, () => output.includes("Server code reloaded"), 10_000);
    await receiver.waitFor(() => named("session.lifecycle").length === 1, 10_000);
    expect(named("session.lifecycle")[0]?.attributes["session.end_reason"]).toBe("server_restart");
    const second = await new Client(url).joinOrCreate("arena");
    await second.leave();
    await receiver.waitFor(() => named("room.on_leave arena").length === 1, 10_000);
    expect(named("room.join arena")).toHaveLength(2);
    expect(named("gameserver.boot")).toHaveLength(1);
    expect(output).not.toContain("instrument() was called already");
  } finally {
    child.kill("SIGKILL");
    await rm(game, { recursive: true, force: true });
  }
}, 60_000);
