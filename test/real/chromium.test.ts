import type { Client } from "@colyseus/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startSession } from "colyseus-otel/backend";
import { allowTraceHeaders } from "../../src/rooms/cors.ts";
import { until } from "../_server.ts";
import { recordTelemetry } from "../_telemetry.ts";
import { startChromium, type Chromium, type Tab } from "./_chromium.ts";
import { servePage, type ServedPage } from "./_page.ts";
import { Arena, end, visitPage, type VisitArguments } from "./_visit.ts";

class Held extends Arena {
  override async onLeave(client: Client, code?: number) {
    await (code === 4000 || this.allowReconnection(client, 60));
  }
}

let chromium: Chromium;
let page: ServedPage;

const visit = async (...args: VisitArguments) => visitPage(chromium, page, ...args);

beforeAll(async () => {
  [chromium, page] = [await startChromium(), await servePage()];
  console.log(`${chromium.product}, a page of ${page.url}`);
});

afterAll(async () => {
  await chromium[Symbol.asyncDispose]();
  await page[Symbol.asyncDispose]();
});

test("a page of another origin goes on with the login's session: one trace, and no header that CORS would have to allow", async () => {
  const recorded = recordTelemetry();
  const { id, carrier } = startSession({ playerId: "Ann", tracerProvider: recorded.tracerProvider });
  await using visited = await visit({}, Arena, recorded);
  const { game, tab, asked } = visited;
  await tab.run(`game.join(${JSON.stringify(carrier)})`);
  await tab.run("game.leave()");
  expect(await end(game)).toEqual(["client_quit", "graceful", 4000]);
  expect(recorded.one("session.lifecycle").attributes).toMatchObject({ "session.id": id, "client.locale": "de" });
  expect(asked).toEqual(["OPTIONS may I send content-type?", "POST"]);
  expect(game.played()).toMatchInlineSnapshot(`
    "session.started
      session.phase.login
      session.lifecycle
      matchmake arena
        room.join arena
          room.on_join arena
      session.phase.in_game"
  `);
});

test("the page's own span is the parent, by the join options", async () => {
  await using visited = await visit();
  const { game, tab, asked } = visited;
  await tab.run("game.telemetry()");
  await tab.run("game.clickPlay()");
  const [click] = await tab.run<{ name: string; spanId: string }[]>("game.spans()");
  expect(click!.name).toBe("click play");
  expect(game.recorded.one("matchmake arena").parentSpanContext).toMatchObject({
    spanId: click!.spanId,
    isRemote: true,
  });
  expect(asked.join()).not.toContain("traceparent");
});

test("with cors the browser is allowed to send the header that the page's fetch adds, and that span is the parent", async () => {
  await using visited = await visit({ cors: true });
  const { game, tab, asked } = visited;
  await tab.run("game.telemetry(); game.instrumentFetch()");
  await tab.run("game.join()");
  expect(asked).toEqual(["OPTIONS may I send content-type,traceparent?", "POST with traceparent"]);
  await until("the span of fetch", async () => (await tab.run<unknown[]>("game.spans()")).length === 1);
  const [fetched] = await tab.run<{ spanId: string }[]>("game.spans()");
  expect(game.recorded.one("matchmake arena").parentSpanContext?.spanId).toBe(fetched!.spanId);
});

test("without cors the browser never sends what the page's fetch adds the header to, and the player cannot join", async () => {
  await using visited = await visit();
  const { game, tab, asked } = visited;
  await tab.run("game.telemetry(); game.instrumentFetch()");
  await expect(tab.run("game.join()")).rejects.toThrow("Failed to fetch");
  await until("the browser's word", () => tab.said.length > 0);
  expect(tab.said.join("\n")).toContain(
    "Request header field traceparent is not allowed by Access-Control-Allow-Headers in preflight response",
  );
  expect(asked).toEqual(["OPTIONS may I send content-type,traceparent?"]);
  expect(game.played()).toBe("");
});

test("cors that is switched on counts at once: what the browser remembers has no word of the new header", async () => {
  await using visited = await visit();
  const { game, tab, asked } = visited;
  await tab.run("game.join()");
  using switched = new DisposableStack();
  switched.defer(allowTraceHeaders());
  await tab.run(`game.telemetry(); game.instrumentFetch(); game.at(${JSON.stringify(game.url)})`);
  await tab.run("game.join()");
  await tab.run("game.join()");
  expect(asked).toEqual([
    "OPTIONS may I send content-type?",
    "POST",
    "OPTIONS may I send content-type,traceparent?",
    "POST with traceparent",
    "POST with traceparent",
  ]);
});

test("the SDK keeps the fetch of its first request: an instrumentation that comes later is not seen", async () => {
  await using visited = await visit({ cors: true });
  const { tab, asked } = visited;
  await tab.run("game.join()");
  await tab.run("game.telemetry(); game.instrumentFetch()");
  await tab.run("game.join()");
  expect(asked.join()).not.toContain("traceparent");
});

test("a browser that is offline for a while comes back to the seat, in the same session and trace", async () => {
  await using visited = await visit({}, Held);
  const { game, tab } = visited;
  await tab.run("game.join()");
  await tab.run("game.returnSoon(); globalThis.back = game.returned(); 0");
  await tab.offline(true);
  await until(
    "the drop",
    async () => (await game.recorded.points("colyseus.drops"))["outcome=held room=arena"],
    15_000,
  );
  await tab.offline(false);
  await tab.run("back");
  await tab.run("game.leave()");
  expect(await end(game)).toEqual(["client_quit", "graceful", 4000]);
  expect(game.played()).toMatchInlineSnapshot(`
    "matchmake arena
      session.started
        session.phase.in_game
        session.lifecycle
        session.phase.reconnecting
        room.on_leave arena  ~> room.join arena
        room.join arena  ~> room.join arena
        session.phase.in_game
        room.on_leave arena  ~> room.join arena
      room.join arena
        room.on_join arena"
  `);
});

test("a browser that is offline without a seat that waits has lost its connection: no server restarts", async () => {
  await using visited = await visit();
  const { game, tab } = visited;
  await tab.run("game.join()");
  await tab.offline(true);
  expect(await end(game)).toEqual(["connection_lost", "connection_failure", 4010]);
  expect(await game.recorded.points("colyseus.drops")).toEqual({ "outcome=lost room=arena": 1 });
});

test("a closed tab is a lost connection", async () => {
  await using visited = await visit();
  await visited.tab.run("game.join()");
  await visited.tab.close();
  expect(await end(visited.game)).toEqual(["connection_lost", "connection_failure", 1001]);
});

test("a page that is left for another: the browser keeps it, and the server hears nothing until it is shown again", async () => {
  await using visited = await visit();
  const { game, tab } = visited;
  await tab.run("game.join()");
  await tab.run(`void (location.href = "/another")`);
  await until("the other page", async () => (await tab.run("location.pathname").catch(() => "")) === "/another");
  expect(await game.recorded.points("colyseus.clients")).toEqual({ "room=arena": 1 });
  await tab.run("history.back()");
  expect(await end(game)).toEqual(["connection_lost", "connection_failure", 1001]);
  await until("the browser's word", () => tab.said.join().includes("Page entered Back-Forward Cache"), 15_000);
});

test.each<[string, (tab: Tab) => Promise<unknown>]>([
  ["a closed tab", async (tab) => tab.close()],
  ["a page that is left for another", async (tab) => tab.run(`void (location.href = "/another")`)],
])("%s whose player leaves with the page is a player who quits, at once", async (_what, go) => {
  await using visited = await visit();
  await visited.tab.run("game.join()");
  await visited.tab.run("game.leaveWithThePage()");
  await go(visited.tab);
  expect(await end(visited.game)).toEqual(["client_quit", "graceful", 4000]);
});

test("a page that crashes is a lost connection as well", async () => {
  await using visited = await visit();
  await visited.tab.run("game.join()");
  visited.tab.crash();
  expect(await end(visited.game)).toEqual(["connection_lost", "connection_failure", 1001]);
});
