import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Room } from "@colyseus/core";
import type { Client, Room as ClientRoom } from "@colyseus/sdk";
import { propagation, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { afterAll, afterEach, expect, test } from "vitest";
import { startSession } from "colyseus-otel/backend";
import type { TraceCarrier } from "colyseus-otel/client";
import { makeProject } from "./_project.ts";
import { startServer, until } from "./_server.ts";
import { recordTelemetry } from "./_telemetry.ts";

// The page's code as a user's project, with the built package in its node_modules.
const root = resolve(import.meta.dirname, "..");
const page = readFileSync(join(root, "docs/client.md"), "utf8");
const MARKED = /<!-- run by test\/client-page\.test\.ts: (\S+) -->\n```ts\n([^]*?)```/g;
const code = new Map(Array.from(page.matchAll(MARKED), ([, name, text]) => [name!, text!]));
const project = makeProject(Object.fromEntries(code));

afterAll(() => project[Symbol.dispose]());

afterEach(() => {
  trace.disable();
  propagation.disable();
});

class Arena extends Room {}

test("the page has the code that is run here", () => {
  expect([...code.keys()]).toEqual(["play.ts", "lobby-room.ts", "next-room.ts", "page.ts"]);
});

test.each(["NodeNext", "ESNext --moduleResolution bundler"])(
  "the page's code type-checks in a project of its own, with --module %s",
  (module) => {
    const flags = `--noEmit --strict --target ES2022 --lib ES2022,DOM --skipLibCheck --ignoreConfig --module ${module}`;
    const options = [...flags.split(" "), ...code.keys()];
    const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), options, {
      cwd: project.directory,
      encoding: "utf8",
    });
    expect(stdout).toBe("");
  },
);

test("play.ts: the player goes on with the login's session, and without a login joins all the same", async () => {
  const recorded = recordTelemetry();
  await using game = await startServer({ arena: Arena }, {}, recorded);
  const { play } = await project.load<{ play(url: string, name: string, session?: TraceCarrier): Promise<ClientRoom> }>(
    "play.ts",
  );
  const { id, carrier } = startSession({ playerId: "Ann", tracerProvider: recorded.tracerProvider });
  const rooms = [await play(game.url, "Ann", carrier), await play(game.url, "Bob")];
  await Promise.all(rooms.map((room) => room.leave()));
  await until("both ends", () => recorded.named("session.lifecycle").length === 2);
  const ids = recorded.named("session.lifecycle").map(({ attributes }) => attributes["session.id"]);
  expect(new Set(ids)).toEqual(new Set([id, rooms[1]!.sessionId]));
});

test("lobby-room.ts and next-room.ts: lobby and match are one session, in one trace", async () => {
  const recorded = recordTelemetry();
  const { LobbyRoom } = await project.load<{ LobbyRoom: typeof Room }>("lobby-room.ts");
  await using game = await startServer({ lobby: LobbyRoom, arena: Arena }, {}, recorded);
  const { nextRoom } = await project.load<{ nextRoom(client: Client, lobby: ClientRoom): Promise<ClientRoom> }>(
    "next-room.ts",
  );
  const lobby = await game.client().joinOrCreate("lobby");
  await (await nextRoom(game.client(), lobby)).leave();
  await until("the end", () => recorded.named("session.lifecycle").length === 1);
  const { attributes } = recorded.one("session.lifecycle");
  expect(attributes).toMatchObject({ "session.id": lobby.sessionId, "session.matches_played": 2 });
  const traces = ["lobby", "arena"].map((name) => recorded.one(`room.join ${name}`).spanContext().traceId);
  expect(traces[0]).toBe(traces[1]);
});

test("page.ts: the click is the parent of what the game server does", async () => {
  const recorded = recordTelemetry();
  trace.setGlobalTracerProvider(recorded.tracerProvider);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  await using game = await startServer({ arena: Arena }, {}, recorded);
  const { clickPlay } = await project.load<{ clickPlay(client: Client): Promise<ClientRoom> }>("page.ts");
  await (await clickPlay(game.client())).leave();
  const click = recorded.one("click play").spanContext();
  expect(recorded.one("matchmake arena").parentSpanContext).toMatchObject({ spanId: click.spanId, isRemote: true });
});
