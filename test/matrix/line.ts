import { Room } from "@colyseus/core";
import { context, metrics, trace } from "@opentelemetry/api";
import { readFileSync, realpathSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { on17 } from "../_colyseus.ts";
import { app, play, start } from "../_register.ts";
import { GLOBAL_PROVIDERS, startServer, until } from "../_server.ts";
import { recordTelemetry } from "../_telemetry.ts";

// Runs with the suite: that it is this line, and nothing else, that the suite runs on.
const root = join(import.meta.dirname, "../..");
const expected = JSON.parse(process.env["MATRIX_VERSIONS"]!) as Record<string, string>;

function manifestOf(name: string, from: string): { readonly path: string; readonly version: string } {
  const path = realpathSync(findPackageJSON(name, from)!);
  return { path, version: (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version };
}

test("every package is the line's, for the suite and for the packed plugin", () => {
  const plugin = join(dirname(manifestOf("colyseus-otel", import.meta.url).path), "dist/index.js");
  const found = (from: string) =>
    Object.fromEntries(Object.keys(expected).map((name) => [name, manifestOf(name, from).version]));
  expect(found(import.meta.url)).toEqual(expected);
  expect(found(plugin)).toEqual(expected);
});

test("the Node is the line's", () => {
  expect(process.versions.node).toBe(expected["node"] ?? process.versions.node);
});

test("there is one copy of Colyseus' core, of the API and of the SDK", () => {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, unknown>;
  };
  const copies = (name: string) => Object.keys(lock.packages).filter((path) => path.endsWith(`node_modules/${name}`));
  for (const name of ["@colyseus/core", "@opentelemetry/api", "@opentelemetry/core", "@opentelemetry/sdk-trace"]) {
    expect(copies(name)).toEqual([`node_modules/${name}`]);
  }
});

test("the plugin is the packed one, and the program's own SDK the line's", () => {
  expect(manifestOf("colyseus-otel", import.meta.url).path).toBe(join(root, "node_modules/colyseus-otel/package.json"));
  const { tracerProvider } = recordTelemetry();
  const isNodeTracerProvider = tracerProvider.constructor.name === "NodeTracerProvider";
  expect(isNodeTracerProvider).toBe("@opentelemetry/sdk-trace-node" in expected);
});

test("players are traced by the SDK that the program has registered, NodeTracerProvider by its own register()", async () => {
  const own = recordTelemetry();
  metrics.setGlobalMeterProvider(own.meterProvider);
  if ("register" in own.tracerProvider) {
    context.disable();
    (own.tracerProvider as { register(): void }).register();
  } else {
    trace.setGlobalTracerProvider(own.tracerProvider);
  }
  const inside = new Set<string | undefined>();
  class Arena extends Room {
    override async onJoin() {
      await Promise.resolve();
      inside.add(trace.getActiveSpan()?.spanContext().spanId);
    }
  }
  await using game = await startServer({ arena: Arena }, {}, own, GLOBAL_PROVIDERS);
  await (await game.client().joinOrCreate("arena")).leave();
  await until("the end of the session", () => own.named("session.lifecycle").length === 1);
  expect([...inside]).toEqual([own.one("room.on_join arena").spanContext().spanId]);
  expect(game.played()).toMatchInlineSnapshot(`
    "matchmake arena
      session.started
        session.phase.in_game
        session.lifecycle
      room.join arena
        room.on_join arena"
  `);
  expect(await own.points("colyseus.joins")).toEqual({ "kind=new outcome=accepted room=arena": 1 });
});

test.each(on17 ? ["plain.cjs", "plain-tools.cjs"] : [])(
  "the preload leaves %s alone, whose core is a copy of its own on 0.17, and one line says why",
  async (name) => {
    const game = start([app(name)], { OTEL_TRACES_EXPORTER: "none" });
    await play((await game.listening()).port);
    expect(game.output().match(/^colyseus-otel: .*$/gm)).toEqual([expect.stringContaining("make the app ESM")]);
  },
);
